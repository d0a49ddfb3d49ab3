// Drives a running server with the official client of the Duffel API, unmodified but for its base URL: look things up,
// search, pick an offer, order, read back. Ends with 0 and a summary, or with 1 and the step that failed.
//
//   BASE_URL   the server's origin, such as http://127.0.0.1:8080
//   TOKEN      an API key that may search and order
//   PAYMENT    arc_bsp_cash (default) or balance
//   DEPARTURE  the day of the first flight, YYYY-MM-DD; 30 days from now unless given
//   STALE_OFFER, STALE_CODE   an offer that must be refused, and the error code expected; both may be left out
import assert from 'node:assert/strict'
import { Duffel, DuffelError } from '@duffel/api'

const { BASE_URL, TOKEN, PAYMENT = 'arc_bsp_cash', DEPARTURE, STALE_OFFER, STALE_CODE } = process.env
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
      ? `HTTP ${error.status}: ${(error.errors ?? []).map((e) => `${e.code} (${e.title}: ${e.message})`).join('; ') || 'no errors in the body'}`
      : error instanceof assert.AssertionError || error?.name === 'FetchError'
        ? error.message
        : (error?.stack ?? String(error))
  console.error(`FAILED at ${current}: ${said}`)
  process.exit(1)
}
setTimeout(() => fail(new Error(`no answer within ${LIMIT_SECS} s`)), LIMIT_SECS * 1000).unref()

const day = (offset) => {
  const first = DEPARTURE ? Date.parse(`${DEPARTURE}T00:00:00Z`) : Date.now() + 30 * DAY_MILLIS
  return new Date(first + offset * DAY_MILLIS).toISOString().slice(0, 10)
}

// Decimal strings are added as whole minor units: a float would hide the very error that is looked for.
const minor = (amount, digits = 4) => {
  assert.match(amount, /^\d+(\.\d{1,4})?$/, `not a decimal amount: ${amount}`)
  const [whole, part = ''] = amount.split('.')
  return BigInt(whole + part.padEnd(digits, '0'))
}

const text = (value, what) => assert.ok(typeof value === 'string' && value.length > 0, `${what} is ${JSON.stringify(value)}`)
const time = (value, what) => assert.ok(!Number.isNaN(Date.parse(value)), `${what} is ${JSON.stringify(value)}`)

const checkAirline = (airline, what) => {
  text(airline?.id, `${what}.id`)
  text(airline.name, `${what}.name`)
  assert.match(airline.iata_code, /^[A-Z0-9]{2}$/, `${what}.iata_code`)
}

const checkSlices = (slices, legs) => {
  assert.equal(slices.length, legs.length, 'number of slices')
  slices.forEach((slice, index) => {
    const { segments } = slice
    assert.ok(segments.length >= 1, 'a slice without segments')
    assert.ok(legs[index].departures.includes(segments[0].origin.iata_code), 'the slice begins elsewhere')
    assert.ok(legs[index].arrivals.includes(segments.at(-1).destination.iata_code), 'the slice ends elsewhere')
    assert.equal(segments[0].departing_at.slice(0, 10), legs[index].departure_date)
    segments.forEach((segment, at) => {
      text(segment.id, 'segment.id')
      text(segment.marketing_carrier_flight_number, 'flight number')
      checkAirline(segment.marketing_carrier, 'marketing_carrier')
      checkAirline(segment.operating_carrier, 'operating_carrier')
      text(segment.origin.time_zone, 'origin.time_zone')
      // Local times carry no offset.
      assert.match(segment.departing_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
      assert.match(segment.arriving_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
      if (at > 0) {
        assert.equal(segment.origin.iata_code, segments[at - 1].destination.iata_code, 'a gap between segments')
        assert.ok(segment.departing_at > segments[at - 1].arriving_at, 'departs before the one before has arrived')
      }
    })
  })
}

const checkMoney = (priced) => {
  assert.match(priced.total_currency, /^[A-Z]{3}$/)
  assert.equal(priced.base_currency, priced.total_currency)
  assert.equal(priced.tax_currency, priced.total_currency)
  assert.equal(minor(priced.base_amount) + minor(priced.tax_amount), minor(priced.total_amount), 'base + tax = total')
  assert.ok(minor(priced.total_amount) > 0n, 'the total is zero')
}

const checkOffer = (offer, legs, passengers) => {
  assert.match(offer.id, /^off_/)
  checkAirline(offer.owner, 'offer.owner')
  checkMoney(offer)
  checkSlices(offer.slices, legs)
  assert.ok(Date.parse(offer.expires_at) > Date.parse(offer.created_at), 'expires_at')
  assert.equal(typeof offer.live_mode, 'boolean')
  assert.equal(typeof offer.payment_requirements.requires_instant_payment, 'boolean')
  assert.deepEqual(offer.passengers.map((p) => p.id).sort(), passengers.map((p) => p.id).sort(), 'passengers of the offer')
  assert.ok(Array.isArray(offer.private_fares), 'private_fares')
  for (const condition of [offer.conditions.refund_before_departure, offer.conditions.change_before_departure]) {
    assert.equal(typeof condition.allowed, 'boolean', 'a condition that is not known')
    if (condition.allowed) assert.ok(minor(condition.penalty_amount) >= 0n && condition.penalty_currency === offer.total_currency)
  }
  for (const segment of offer.slices.flatMap((s) => s.segments)) {
    assert.equal(segment.passengers.length, passengers.length, 'passengers of the segment')
    for (const passenger of segment.passengers) {
      text(passenger.fare_basis_code, 'fare_basis_code')
      assert.ok(['first', 'business', 'premium_economy', 'economy'].includes(passenger.cabin_class), 'cabin_class')
      assert.deepEqual(passenger.baggages.map((b) => b.type), ['checked', 'carry_on'], 'baggages')
    }
  }
}

const checkOrder = (order, offer, people, legs) => {
  assert.match(order.id, /^ord_/)
  assert.match(order.booking_reference, /^[A-Z0-9]{6}$/)
  checkMoney(order)
  assert.equal(order.total_amount, offer.total_amount)
  assert.equal(order.total_currency, offer.total_currency)
  assert.equal(order.live_mode, offer.live_mode)
  assert.equal(order.owner.iata_code, offer.owner.iata_code)
  checkSlices(order.slices, legs)
  assert.equal(order.payment_status.awaiting_payment, false)
  time(order.payment_status.paid_at, 'paid_at')
  time(order.created_at, 'created_at')
  assert.equal(order.cancelled_at ?? null, null)
  assert.ok(Array.isArray(order.available_actions), 'available_actions')
  assert.deepEqual(
    order.passengers.map((p) => [p.id, p.given_name, p.family_name, p.born_on]).sort(),
    people.map((p) => [p.id, p.given_name, p.family_name, p.born_on]).sort(),
  )
  const tickets = order.documents.filter((d) => d.type === 'electronic_ticket')
  for (const ticket of tickets) assert.match(ticket.unique_identifier, /^\d{13}$/, 'a ticket number has 13 digits')
  const numbers = tickets.map((t) => t.unique_identifier)
  assert.equal(new Set(numbers).size, numbers.length, 'the same ticket number twice')
  assert.deepEqual([...new Set(tickets.flatMap((t) => t.passenger_ids))].sort(), people.map((p) => p.id).sort(), 'one ticket each')
  assert.equal(new Set(numbers.map((n) => n.slice(0, 3))).size, 1, 'tickets of one order carry one airline code')
  return numbers.sort()
}

const people = (passengers) => {
  const contact = { email: 'li.wei@example.com', phone_number: '+8613800138000' }
  const by = {
    adult: { title: 'mr', gender: 'm', given_name: 'Wei', family_name: 'Li', born_on: '1987-07-24' },
    child: { title: 'miss', gender: 'f', given_name: 'Na', family_name: 'Li', born_on: day(-8 * 365 - 60) },
    infant_without_seat: { title: 'mr', gender: 'm', given_name: 'Tao', family_name: 'Li', born_on: day(-300) },
  }
  const infant = passengers.find((p) => p.type === 'infant_without_seat')
  return passengers.map((p) => {
    assert.ok(by[p.type], `passenger ${p.id} has the type ${JSON.stringify(p.type)}`)
    return { id: p.id, ...contact, ...by[p.type], ...(p.type === 'adult' && infant ? { infant_passenger_id: infant.id } : {}) }
  })
}

const refusal = async (action) => {
  const error = await action().then(
    () => assert.fail('it was accepted'),
    (e) => e,
  )
  if (!(error instanceof DuffelError)) throw error
  text(error.errors?.[0]?.code, 'errors[0].code')
  for (const field of ['type', 'title', 'message']) text(error.errors[0][field], `errors[0].${field}`)
  text(error.meta?.request_id, 'meta.request_id')
  assert.equal(error.meta.status, error.status)
  assert.ok(error.status >= 400 && error.status < 500, `HTTP ${error.status}`)
  return error
}

const orderOf = (offer, travellers) => ({
  type: 'instant',
  selected_offers: [offer.id],
  passengers: travellers,
  payments: [{ type: PAYMENT, amount: offer.total_amount, currency: offer.total_currency }],
  metadata: { reference: 'duffel-client-test' },
})

const lookUp = async (duffel) => {
  const airlines = await step('airlines.list', () => duffel.airlines.list({ limit: 50 }))
  assert.ok(airlines.data.length > 0, 'no airlines')
  airlines.data.forEach((a) => checkAirline(a, 'airline'))
  const one = await step('airlines.get', () => duffel.airlines.get(airlines.data[0].id))
  assert.equal(one.data.iata_code, airlines.data[0].iata_code)

  const first = await step('airports.list', () => duffel.airports.list({ limit: 2 }))
  assert.equal(first.data.length, 2)
  text(first.meta?.after, 'meta.after')
  const second = await step('airports.list, page 2', () => duffel.airports.list({ limit: 2, after: first.meta.after }))
  assert.equal(new Set([...first.data, ...second.data].map((a) => a.id)).size, 4, 'pages overlap')
  for (const airport of first.data) {
    assert.equal(airport.type, 'airport')
    assert.equal(typeof airport.latitude, 'number')
    text(airport.time_zone, 'airport.time_zone')
  }
  const aircraft = await step('aircraft.list', () => duffel.aircraft.list({ limit: 5 }))
  aircraft.data.forEach((a) => text(a.name, 'aircraft.name'))

  const places = await step('suggestions.list', () => duffel.suggestions.list({ query: 'Beijing' }))
  assert.ok(places.data.some((p) => p.iata_code === 'PEK' || p.iata_city_code === 'BJS'), 'Beijing suggests no Beijing')
  console.log(`looked up ${airlines.data.length} airlines, airports over two pages, ${places.data.length} places for Beijing`)
}

const journey = async (duffel, name, legs, passengers) => {
  const slices = legs.map(({ origin, destination, departure_date }) => ({ origin, destination, departure_date }))
  const wanted = { slices, passengers, cabin_class: 'economy', return_offers: false }
  const request = await step(`offerRequests.create (${name})`, () => duffel.offerRequests.create(wanted))
  assert.match(request.data.id, /^orq_/)
  assert.equal(request.data.slices.length, legs.length)
  assert.equal(request.data.passengers.length, passengers.length)
  request.data.passengers.forEach((p) => assert.match(p.id, /^pas_/))

  const wantedOffers = { offer_request_id: request.data.id, sort: 'total_amount', limit: 50 }
  const offers = await step(`offers.list (${name})`, () => duffel.offers.list(wantedOffers))
  assert.ok(offers.data.length > 0, 'no offers')
  offers.data.forEach((o) => checkOffer(o, legs, request.data.passengers))
  const amounts = offers.data.map((o) => minor(o.total_amount))
  assert.ok(amounts.every((a, i) => i === 0 || amounts[i - 1] <= a), 'not sorted by total_amount')

  const offer = (await step(`offers.get (${name})`, () => duffel.offers.get(offers.data[0].id))).data
  checkOffer(offer, legs, request.data.passengers)
  assert.equal(offer.total_amount, offers.data[0].total_amount)

  const priced = await step(`offers.getPriced (${name})`, () =>
    duffel.offers.getPriced(offer.id, { intended_payment_methods: [], intended_services: [] }),
  )
  checkOffer(priced.data, legs, request.data.passengers)
  assert.equal(priced.data.id, offer.id, 'an offer keeps its id when it is priced again')
  assert.equal(priced.data.total_amount, offer.total_amount)
  const name_only = { given_name: 'Wei', family_name: 'Li', loyalty_programme_accounts: [] }
  const updated = await step(`offers.update (${name})`, () =>
    duffel.offers.update(offer.id, offer.passengers[0].id, name_only),
  )
  assert.equal(updated.data.family_name, 'Li')

  const travellers = people(offer.passengers)
  const wrong = orderOf({ ...offer, total_amount: '0.01' }, travellers)
  await step(`orders.create with a wrong amount (${name})`, () => refusal(() => duffel.orders.create(wrong)))

  const created = await step(`orders.create (${name})`, () => duffel.orders.create(orderOf(offer, travellers)))
  assert.equal(created.status, 201)
  const numbers = checkOrder(created.data, offer, travellers, legs)

  const again = await step(`orders.create, repeated (${name})`, () => duffel.orders.create(orderOf(offer, travellers)))
  assert.equal(again.status, 200, 'a repeated order answers 200')
  assert.equal(again.data.id, created.data.id, 'a repeated order is the first one')

  const read = await step(`orders.get (${name})`, () => duffel.orders.get(created.data.id))
  assert.deepEqual(checkOrder(read.data, offer, travellers, legs), numbers)
  assert.equal(read.data.booking_reference, created.data.booking_reference)
  assert.equal(read.data.metadata.reference, 'duffel-client-test')

  const found = { booking_reference: created.data.booking_reference }
  const listed = await step(`orders.list (${name})`, () => duffel.orders.list(found))
  assert.deepEqual(listed.data.map((o) => o.id), [created.data.id], 'the order, and once')

  console.log(
    `${name}: ${offers.data.length} offers, ordered ${created.data.booking_reference} for ` +
      `${offer.total_amount} ${offer.total_currency}, tickets ${numbers.join(' ')}`,
  )
}

const refusals = async (duffel) => {
  const nobody = [{ ...people([{ id: 'pas_0000000000000', type: 'adult' }])[0] }]
  const unknown = { id: STALE_OFFER ?? 'off_0000000000000', total_amount: '1.00', total_currency: 'CNY' }
  const stale = await step('orders.create of a stale offer', () => refusal(() => duffel.orders.create(orderOf(unknown, nobody))))
  if (STALE_CODE) assert.equal(stale.errors[0].code, STALE_CODE)

  const stranger = new Duffel({ token: 'as_test_nobody', basePath: BASE_URL })
  const refused = await step('airlines.list with a wrong key', () => refusal(() => stranger.airlines.list()))
  assert.equal(refused.status, 401)
  console.log(`refused: a stale offer (${stale.errors[0].code}), a wrong key (${refused.errors[0].code})`)
}

const main = async () => {
  if (!BASE_URL || !TOKEN) throw new assert.AssertionError({ message: 'BASE_URL and TOKEN are needed' })
  const duffel = new Duffel({ token: TOKEN, basePath: BASE_URL })
  const shanghai = ['SHA', 'PVG']
  const out = { origin: 'PEK', destination: 'SHA', departure_date: day(0), departures: ['PEK'], arrivals: shanghai }
  const home = { origin: 'SHA', destination: 'PEK', departure_date: day(7), departures: shanghai, arrivals: ['PEK', 'PKX'] }

  await lookUp(duffel)
  await journey(duffel, 'PEK-SHA, one adult', [out], [{ type: 'adult' }])
  await journey(duffel, 'PEK-SHA-PEK, a family', [out, home], [{ type: 'adult' }, { age: 8 }, { age: 0 }])
  await refusals(duffel)
  console.log('the Duffel client is served')
}

main().then(() => process.exit(0), fail)
