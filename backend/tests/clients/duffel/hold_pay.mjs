// Drives a running server with the official client of the Duffel API, unmodified but for its base URL: search, hold, read, pay, read the ticket
// numbers back; then hold again and cancel unpaid. Ends with 0 and a summary, or with 1 and the step that failed.
//
//   BASE_URL, TOKEN, PAYMENT   as for search_order.mjs
import assert from 'node:assert/strict'
import { Duffel, DuffelError } from '@duffel/api'

const { BASE_URL, TOKEN, PAYMENT = 'arc_bsp_cash' } = process.env
const LIMIT_SECS = 120
const DAY_MILLIS = 86_400_000

let current = 'start'
const step = async (name, action) => {
  current = name
  return await action()
}

const fail = (error) => {
  const said =
    error instanceof DuffelError
      ? `HTTP ${error.status}: ${(error.errors ?? []).map((e) => `${e.code} (${e.message})`).join('; ')}`
      : (error?.stack ?? String(error))
  console.error(`FAILED at ${current}: ${said}`)
  process.exit(1)
}
setTimeout(() => fail(new Error(`no answer within ${LIMIT_SECS} s`)), LIMIT_SECS * 1000).unref()

const refusal = async (action) => {
  const error = await action().then(
    () => assert.fail('was not refused'),
    (e) => e,
  )
  if (!(error instanceof DuffelError)) throw error
  return error.errors[0].code
}

const departure = () => new Date(Date.now() + 30 * DAY_MILLIS).toISOString().slice(0, 10)

const holdable = async (duffel) => {
  const slices = [{ origin: 'PEK', destination: 'SHA', departure_date: departure() }]
  const wanted = { slices, passengers: [{ type: 'adult' }, { type: 'adult' }], cabin_class: 'economy', return_offers: true }
  const request = await step('offerRequests.create', () => duffel.offerRequests.create(wanted))
  const offer = request.data.offers.find((o) => !o.payment_requirements.requires_instant_payment)
  assert.ok(offer, 'no offer can be held')
  assert.ok(Date.parse(offer.payment_requirements.payment_required_by) > Date.now(), 'payment_required_by')
  return offer
}

const people = (offer, family) =>
  offer.passengers.map(({ id }, place) => ({
    id,
    title: 'ms',
    gender: 'f',
    given_name: ['Wei', 'Na'][place],
    family_name: family,
    born_on: '1990-02-28',
    email: 'li.wei@example.com',
    phone_number: '+8613800138000',
  }))

const hold = async (duffel, offer, family) => {
  const wanted = { type: 'pay_later', selected_offers: [offer.id], passengers: people(offer, family) }
  const { data: order, status } = await step(`orders.create, held for ${family}`, () => duffel.orders.create(wanted))
  assert.equal(status, 201)
  assert.match(order.booking_reference, /^[A-Z0-9]{6}$/)
  assert.equal(order.payment_status.awaiting_payment, true)
  assert.equal(order.payment_status.paid_at, null)
  assert.equal(order.payment_status.payment_required_by, offer.payment_requirements.payment_required_by)
  assert.equal(order.payment_status.price_guarantee_expires_at, offer.payment_requirements.price_guarantee_expires_at)
  assert.deepEqual(order.documents, [])
  assert.equal(order.total_amount, offer.total_amount)
  assert.ok(!Number.isNaN(Date.parse(order.synced_at)), 'synced_at')
  assert.equal(order.cancelled_at ?? null, null)
  for (const action of ['cancel', 'update']) assert.ok(order.available_actions.includes(action), `no ${action}`)
  return order
}

const paid = async (duffel) => {
  const offer = await holdable(duffel)
  const held = await hold(duffel, offer, 'Li')
  const { data: read } = await step('orders.get, held', () => duffel.orders.get(held.id))
  assert.deepEqual(read, held)
  const waiting = await step('orders.list, awaiting payment', () => duffel.orders.list({ awaiting_payment: true }))
  assert.ok(waiting.data.some((o) => o.id === held.id), 'the held order is not listed')

  const payment = (amount) => ({ order_id: held.id, payment: { type: PAYMENT, amount, currency: read.total_currency } })
  const wrong = await step('payments.create of too little', () => refusal(() => duffel.payments.create(payment('0.01'))))
  assert.equal(wrong, 'payment_amount_mismatch')
  const card = { order_id: held.id, payment: { ...payment(read.total_amount).payment, type: 'card' } }
  const refused = await step('payments.create by card', () => refusal(() => duffel.payments.create(card)))
  assert.equal(refused, 'payment_type_not_supported')

  const made = await step('payments.create', () => duffel.payments.create(payment(read.total_amount)))
  assert.equal(made.status, 201)
  assert.equal(made.data.amount, read.total_amount)
  assert.equal(made.data.currency, read.total_currency)
  assert.equal(made.data.type, PAYMENT)
  const again = await step('payments.create, repeated', () => duffel.payments.create(payment(read.total_amount)))
  assert.equal(again.data.id, made.data.id, 'a repeated payment is the first one')

  const { data: order } = await step('orders.get, paid', () => duffel.orders.get(held.id))
  assert.equal(order.payment_status.awaiting_payment, false)
  assert.ok(!Number.isNaN(Date.parse(order.payment_status.paid_at)), 'paid_at')
  assert.equal(order.booking_reference, held.booking_reference)
  const numbers = order.documents.map((d) => d.unique_identifier)
  assert.equal(numbers.length, 2)
  for (const number of numbers) assert.match(number, /^\d{13}$/)
  const { data: updated } = await step('orders.update', () => duffel.orders.update(held.id, { metadata: { desk: '3' } }))
  assert.equal(updated.metadata.desk, '3')
  console.log(`held ${held.booking_reference}, paid ${made.data.amount} ${made.data.currency}, tickets ${numbers.join(' ')}`)
}

const cancelled = async (duffel) => {
  const held = await hold(duffel, await holdable(duffel), 'Wang')
  const quote = await step('orderCancellations.create', () => duffel.orderCancellations.create({ order_id: held.id }))
  assert.equal(quote.data.refund_amount, '0.00')
  assert.equal(quote.data.refund_to, 'awaiting_payment')
  assert.equal(quote.data.confirmed_at, null)
  const confirmed = await step('orderCancellations.confirm', () => duffel.orderCancellations.confirm(quote.data.id))
  assert.ok(!Number.isNaN(Date.parse(confirmed.data.confirmed_at)), 'confirmed_at')
  const { data: order } = await step('orders.get, cancelled', () => duffel.orders.get(held.id))
  assert.ok(!Number.isNaN(Date.parse(order.cancelled_at)), 'cancelled_at')
  assert.equal(order.cancellation.id, quote.data.id)
  assert.equal(order.payment_status.awaiting_payment, false)
  const payment = { type: PAYMENT, amount: held.total_amount, currency: held.total_currency }
  const late = await step('payments.create of a cancelled order', () =>
    refusal(() => duffel.payments.create({ order_id: held.id, payment })),
  )
  assert.equal(late, 'order_already_cancelled')
  console.log(`held ${held.booking_reference} and cancelled it unpaid`)
}

const main = async () => {
  if (!BASE_URL || !TOKEN) throw new Error('BASE_URL and TOKEN are needed')
  const duffel = new Duffel({ token: TOKEN, basePath: BASE_URL })
  await paid(duffel)
  await cancelled(duffel)
  console.log('the Duffel client holds and pays')
}

main().then(() => process.exit(0), fail)
