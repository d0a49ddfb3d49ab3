import type { Schemas } from '../../../api/client';
import { hoursAndMinutes, localTime, minutesOf } from '../../../shared/clock';
import { AirportTime } from '../../../shared/Moment';
import { useNames } from '../../../shared/names';
import css from '../agency.module.css';
import { useAgencyTexts } from '../texts';

type Slice = Schemas['Slice'];
type Segment = Schemas['Segment'];

const flight = (segment: Segment) => `${segment.marketing_carrier.iata_code ?? ''}${segment.marketing_carrier_flight_number}`;
const code = (place: { iata_code?: string | null; name: string }) => place.iata_code ?? place.name;

/** A slice in one line: when, from where, how long, to where. */
export function SliceLine({ slice }: { slice: Slice }) {
  const t = useAgencyTexts();
  const first = slice.segments[0];
  const last = slice.segments.at(-1);
  if (!first || !last) return null;
  const minutes = minutesOf(slice.duration);
  const leaves = localTime(first.departing_at, first.origin.time_zone);
  const arrives = localTime(last.arriving_at, last.destination.time_zone);
  return (
    <div className={css.slice}>
      <span className={css.sliceFlights}>
        <b>{slice.segments.map(flight).join(' · ')}</b>
        <span className={css.small}>{first.marketing_carrier.name}</span>
      </span>
      <span className={css.sliceEnd}>
        <span className={css.time}>
          {leaves.time} <small>{leaves.offset}</small>
        </span>
        <span className={css.small}>
          {code(first.origin)} {first.origin_terminal && `T${first.origin_terminal}`} · {leaves.date}
        </span>
      </span>
      <span className={css.sliceWay}>
        <span>{minutes === null ? '' : hoursAndMinutes(minutes)}</span>
        <i aria-hidden />
        <span className={css.small}>
          {slice.segments.length === 1 ? t('trip.direct') : slice.segments.slice(0, -1).map((segment) => code(segment.destination)).join(', ')}
        </span>
      </span>
      <span className={css.sliceEnd}>
        <span className={css.time}>
          {arrives.time} <small>{arrives.offset}</small>
        </span>
        <span className={css.small}>
          {code(last.destination)} {last.destination_terminal && `T${last.destination_terminal}`}
          {arrives.date !== leaves.date && ` · ${arrives.date}`}
        </span>
      </span>
    </div>
  );
}

/** Every flight with what belongs to it. */
export function Itinerary({ slices }: { slices: readonly Slice[] }) {
  const t = useAgencyTexts();
  const names = useNames();
  return (
    <ol className={css.itinerary}>
      {slices.flatMap((slice) =>
        slice.segments.map((segment) => {
          const carried = segment.passengers[0];
          const bag = carried?.baggages.find((one) => one.type === 'checked');
          return (
            <li key={segment.id}>
              <div className={css.flightHead}>
                <b>{flight(segment)}</b> <span>{segment.marketing_carrier.name}</span>
                {segment.operating_carrier.iata_code !== segment.marketing_carrier.iata_code && (
                  <span className={css.small}>
                    {t('trip.operated_by')} {segment.operating_carrier.name}
                  </span>
                )}
              </div>
              <div className={css.flightEnds}>
                <span>
                  <AirportTime at={segment.departing_at} zone={segment.origin.time_zone} />
                </span>
                <span>
                  <b>{code(segment.origin)}</b> {segment.origin.name} {segment.origin_terminal && `T${segment.origin_terminal}`}
                </span>
                <span>
                  <AirportTime at={segment.arriving_at} zone={segment.destination.time_zone} />
                </span>
                <span>
                  <b>{code(segment.destination)}</b> {segment.destination.name} {segment.destination_terminal && `T${segment.destination_terminal}`}
                </span>
              </div>
              {carried && (
                <div className={css.small}>
                  {names('cabin', carried.cabin_class)} {carried.booking_class}
                  {carried.fare_basis_code && ` · ${carried.fare_basis_code}`}
                  {bag && ` · ${t('trip.bag', { count: bag.quantity })}${bag.maximum_weight_kg ? ` ${bag.maximum_weight_kg} kg` : ''}`}
                  {segment.aircraft && ` · ${segment.aircraft.name}`}
                </div>
              )}
            </li>
          );
        }),
      )}
    </ol>
  );
}
