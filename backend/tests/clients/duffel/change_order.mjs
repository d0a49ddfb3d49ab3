// Drives a running server with the official client of the Duffel API, unmodified but for its base URL: order, ask for another day, choose an
// offer, confirm, read back. Ends with 0 and a summary, or with 1 and what failed.
//
//   BASE_URL   the server's origin, such as http://127.0.0.1:8080
//   TOKEN      an API key that may search and order
import assert from 'node:assert/strict'
import { Duffel, DuffelError } from '@duffel/api'

const { BASE_URL, TOKEN } = process.env
const day = (ahead) => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10)
const duffel = new Duffel({ token: TOKEN, basePath: BASE_URL })

const journey = (departure_date) => ({ origin: 'PEK', destination: 'SHA', departure_date })

try {
  const search = await duffel.offerRequests.create({ slices: [journey(day(40))], passengers: [{ type: 'adult' }], cabin_class: 'economy' })
  const offer = search.data.offers[0]
  const order = (
    await duffel.orders.create({
      type: 'instant',
      selected_offers: [offer.id],
      payments: [{ type: 'balance', amount: offer.total_amount, currency: offer.total_currency }],
      passengers: [
        {
          id: offer.passengers[0].id, title: 'mr', gender: 'm', given_name: 'Lei', family_name: 'Wang', born_on: '1985-06-01',
          email: 'lei.wang@example.com', phone_number: '+8613800138001',
        },
      ],
    })
  ).data
  const request = (
    await duffel.orderChangeRequests.create({
      order_id: order.id,
      slices: { remove: [{ slice_id: order.slices[0].id }], add: [{ ...journey(day(43)), cabin_class: 'economy' }] },
    })
  ).data
  assert.equal(request.order_id, order.id)
  assert.ok(request.order_change_offers.length > 0, 'no offer')
  const chosen = (await duffel.orderChangeOffers.get(request.order_change_offers[0].id)).data
  assert.equal(chosen.slices.remove[0].id, order.slices[0].id)
  const change = (await duffel.orderChanges.create({ selected_order_change_offer: chosen.id })).data
  assert.match(change.id, /^oce_/)
  const due = Number(change.change_total_amount) > 0
  const paid = due ? { payment: { type: 'balance', amount: change.change_total_amount, currency: change.change_total_currency } } : {}
  const confirmed = (await duffel.orderChanges.confirm(change.id, paid)).data
  assert.ok(!Number.isNaN(Date.parse(confirmed.confirmed_at)), 'not confirmed')
  assert.equal((await duffel.orderChanges.get(change.id)).data.confirmed_at, confirmed.confirmed_at)
  const read = (await duffel.orders.get(order.id)).data
  assert.ok(read.slices[0].segments[0].departing_at.startsWith(day(43)), 'the order has its old flight')
  assert.notEqual(read.documents[0].unique_identifier, order.documents[0].unique_identifier)
  assert.equal(read.total_amount, change.new_total_amount)
  console.log(`the Duffel client is served: ${order.documents[0].unique_identifier} for ${read.documents[0].unique_identifier}`)
} catch (error) {
  const said = error instanceof DuffelError ? (error.errors ?? []).map((e) => `${e.code}: ${e.message}`).join('; ') : error.stack
  console.error(`FAILED: ${said}`)
  process.exit(1)
}
