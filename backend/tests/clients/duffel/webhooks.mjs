// Manages webhooks of a running server with the official client of the Duffel API, unmodified but for its base URL: makes one, pings it, reads the
// event and the deliveries back, changes it, sends the event again, deletes it. The receiver is a server of this script's own.
//
//   BASE_URL   the server's origin; it must allow receivers on this machine
//   TOKEN      an API key that may manage webhooks
import assert from 'node:assert/strict'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import { Duffel } from '@duffel/api'

const { BASE_URL, TOKEN } = process.env
setTimeout(() => fail(new Error('no answer within 60 s')), 60_000).unref()
const fail = (error) => {
  console.error(`FAILED: ${error?.errors ? JSON.stringify(error.errors) : (error?.stack ?? error)}`)
  process.exit(1)
}

const received = []
const receiver = createServer((request, response) => {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    received.push({ headers: request.headers, body: Buffer.concat(chunks) })
    response.end('thank you')
  })
})

const until = async (what, isSo) => {
  for (let tries = 0; tries < 400; tries += 1) {
    const found = await isSo()
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`in vain: ${what}`)
}

// As the documentation of the Duffel API tells receivers to do it.
const isGenuine = ({ headers, body }, secret) => {
  const [, time, signature] = headers['x-duffel-signature'].match(/^t=(\d+),v1=([0-9a-f]{64})$/)
  const expected = createHmac('sha256', secret).update(`${time}.`).update(body).digest('hex').toLowerCase().trim()
  return timingSafeEqual(Buffer.from(expected), Buffer.from(signature))
}

const main = async () => {
  await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${receiver.address().port}/hook`
  const duffel = new Duffel({ token: TOKEN, basePath: BASE_URL })

  const events = ['order.created', 'order.airline_initiated_change_detected']
  const made = (await duffel.webhooks.create({ url, events })).data
  assert.match(made.secret, /^whsec_/)
  assert.deepEqual([made.url, made.active, made.live_mode, made.events.sort()], [url, true, true, events.sort()])

  await duffel.webhooks.ping(made.id)
  await until('the ping', () => received.length === 1)
  const ping = JSON.parse(received[0].body)
  assert.deepEqual([ping.type, ping.data.object.id, ping.live_mode, ping.api_version], ['ping.triggered', made.id, true, 'v2'])
  assert.ok(isGenuine(received[0], made.secret), 'the signature')
  assert.equal(received[0].headers['webhook-id'], ping.id)

  assert.deepEqual((await duffel.webhooks.get(ping.id)).data, ping, 'what is read is what was delivered')
  const delivery = await until('the delivery in the log', async () => {
    const log = (await duffel.webhooks.listDeliveries({ endpoint_id: made.id, delivery_success: true })).data
    return log.find((one) => one.event_id === ping.id)
  })
  assert.deepEqual([delivery.response_status_code, delivery.response_body, delivery.url], [200, 'thank you', url])

  await duffel.webhooks.redeliver(ping.id)
  await until('the ping again', () => received.length === 2)
  assert.equal(received[1].headers['webhook-id'], ping.id, 'a receiver recognises what it has seen')

  await duffel.webhooks.update(made.id, { active: false, events: ['order.created'], url })
  const listed = (await duffel.webhooks.list({ limit: 10 })).data.find((one) => one.id === made.id)
  assert.deepEqual([listed.active, listed.events], [false, ['order.created']])
  assert.equal(listed.secret, undefined, 'the secret is shown once')
  await duffel.webhooks.delete(made.id)
  assert.equal((await duffel.webhooks.list({ limit: 10 })).data.find((one) => one.id === made.id), undefined)
  console.log('the Duffel client manages webhooks')
}

main().then(() => process.exit(0), fail)
