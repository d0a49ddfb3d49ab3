import type { Schemas } from '../../../api/client';
import { money } from '../../../shared/amount';
import { localTime } from '../../../shared/clock';
import css from './receipt.module.css';

/** The itinerary receipt on paper, in both languages whatever the screen's is. It is no tax invoice, and says so. */
export function Receipt({ order }: { order: Schemas['Order'] }) {
  const total = { amount: order.total_amount, currency: order.total_currency };
  return (
    <article className={css.receipt} aria-hidden>
      <h1>
        行程单 <span lang="en">Itinerary receipt</span>
      </h1>
      <p className={css.notInvoice}>
        不作报销凭证 · <span lang="en">Not a tax invoice</span>
      </p>
      <p>
        预订编号 <span lang="en">Booking reference</span>: <b>{order.booking_reference}</b> · {order.owner.name}
      </p>
      <table>
        <thead>
          <tr>
            <th>旅客 Passenger</th>
            <th>票号 Ticket number</th>
          </tr>
        </thead>
        <tbody>
          {order.passengers.map((one) => (
            <tr key={one.id}>
              <td>
                <bdi>
                  {one.family_name}/{one.given_name}
                </bdi>
              </td>
              <td>{order.documents.filter((document) => document.passenger_ids.includes(one.id)).map((document) => document.unique_identifier).join(', ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <table>
        <thead>
          <tr>
            <th>航班 Flight</th>
            <th>出发 Departure</th>
            <th>到达 Arrival</th>
            <th>舱位 Class</th>
            <th>行李 Baggage</th>
          </tr>
        </thead>
        <tbody>
          {order.slices.flatMap((slice) =>
            slice.segments.map((segment) => {
              const leaves = localTime(segment.departing_at, segment.origin.time_zone);
              const arrives = localTime(segment.arriving_at, segment.destination.time_zone);
              const carried = segment.passengers[0];
              const bag = carried?.baggages.find((one) => one.type === 'checked');
              return (
                <tr key={segment.id}>
                  <td>
                    {segment.marketing_carrier.iata_code}
                    {segment.marketing_carrier_flight_number}
                  </td>
                  <td>
                    {segment.origin.iata_code} {segment.origin.name}
                    <br />
                    {leaves.date} {leaves.time} {leaves.offset}
                  </td>
                  <td>
                    {segment.destination.iata_code} {segment.destination.name}
                    <br />
                    {arrives.date} {arrives.time} {arrives.offset}
                  </td>
                  <td>
                    {carried?.cabin_class_marketing_name} {carried?.booking_class}
                  </td>
                  <td>{bag?.maximum_weight_kg ? `${bag.maximum_weight_kg} kg` : (bag?.quantity ?? '–')}</td>
                </tr>
              );
            }),
          )}
        </tbody>
      </table>
      <dl>
        <dt>票价 Fare</dt>
        <dd>{money({ amount: order.base_amount, currency: order.base_currency })}</dd>
        <dt>税费 Taxes</dt>
        <dd>{money({ amount: order.tax_amount, currency: order.tax_currency })}</dd>
        <dt>合计 Total</dt>
        <dd>
          <b>{money(total)}</b>
        </dd>
      </dl>
      <p className={css.foot}>航班时刻为机场当地时间。 Flight times are local to the airports. · Airsettle</p>
    </article>
  );
}
