import type { Schemas } from '../../../api/client';
import { ToButton } from '../../../shared/Link';
import { Money } from '../../../shared/Money';
import { useNames } from '../../../shared/names';
import { State } from '../../../shared/Page';
import css from '../agency.module.css';
import { useAgencyTexts } from '../texts';
import { SliceLine } from './Itinerary';

export function OfferCard({ offer, back }: { offer: Schemas['Offer']; back: string }) {
  const t = useAgencyTexts();
  const names = useNames();
  const first = offer.slices[0]?.segments[0]?.passengers[0];
  const refund = offer.conditions.refund_before_departure;
  const change = offer.conditions.change_before_departure;
  return (
    <article className={css.offer} aria-label={`${offer.owner.name} ${offer.total_currency} ${offer.total_amount}`}>
      <div className={css.offerSlices}>
        {offer.slices.map((slice) => (
          <SliceLine key={slice.id} slice={slice} />
        ))}
      </div>
      <div className={css.offerTerms}>
        {first && (
          <span>
            {names('cabin', first.cabin_class)} {first.booking_class}
          </span>
        )}
        <State tone={refund?.allowed ? 'good' : 'quiet'}>
          {refund?.allowed
            ? refund.penalty_amount
              ? t('offer.refund_fee', { amount: refund.penalty_amount })
              : t('offer.refundable')
            : t('offer.no_refund')}
        </State>
        <State tone={change?.allowed ? 'good' : 'quiet'}>{change?.allowed ? t('offer.changeable') : t('offer.no_change')}</State>
        {!offer.payment_requirements.requires_instant_payment && <State tone="busy">{t('offer.can_hold')}</State>}
        {offer.private_fares.length > 0 && <State tone="warn">{t('offer.private')}</State>}
      </div>
      <div className={css.offerPrice}>
        <Money amount={offer.total_amount} currency={offer.total_currency} strong />
        <span className={css.small}>
          {t('offer.of_which_tax')} <Money amount={offer.tax_amount ?? null} currency={offer.total_currency} />
        </span>
        <ToButton to={`/sell/${offer.id}?request=${back}`} size="xs">
          {t('offer.choose')}
        </ToButton>
      </div>
    </article>
  );
}
