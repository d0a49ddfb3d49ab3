import type { Schemas } from '../../../api/client';
import { Money } from '../../../shared/Money';
import { useNames } from '../../../shared/names';
import css from '../agency.module.css';
import { useAgencyTexts } from '../texts';

/** Per ticket: what was the fare, what is kept, who gives back what. */
export function RefundParts({ application }: { application: Schemas['RefundApplication'] }) {
  const t = useAgencyTexts();
  const names = useNames();
  const { currency } = application;
  return (
    <>
      {application.tickets.map((ticket) => (
        <div key={ticket.id} className={css.refundTicket}>
          <p>
            <b>{ticket.ticket_number}</b>
          </p>
          <div className={css.tableWrap} tabIndex={0} role="region" aria-label={ticket.ticket_number}>
            <table className={css.grid}>
              <thead>
                <tr>
                  <th>{t('refund.coupon')}</th>
                  <th data-align="end">{t('refund.fare')}</th>
                  <th data-align="end">{t('refund.penalty')}</th>
                  <th data-align="end">{t('refund.taxes')}</th>
                </tr>
              </thead>
              <tbody>
                {ticket.coupons.map((coupon) => (
                  <tr key={coupon.number}>
                    <td>{coupon.number}</td>
                    <td data-align="end">
                      <Money amount={coupon.fare_amount} currency={currency} />
                    </td>
                    <td data-align="end">
                      <Money amount={coupon.penalty_amount} currency={currency} />{' '}
                      {coupon.penalty_rate && <span className={css.small}>{coupon.penalty_rate}</span>}
                    </td>
                    <td data-align="end">
                      <Money amount={coupon.tax_amount} currency={currency} />
                    </td>
                  </tr>
                ))}
              </tbody>
              <tfoot>
                <tr>
                  <th>{t('refund.back')}</th>
                  <td data-align="end" colSpan={3}>
                    <Money amount={ticket.refund_amount} currency={currency} strong />
                  </td>
                </tr>
              </tfoot>
            </table>
          </div>
          <p className={css.small}>
            {t('refund.who')}{' '}
            {ticket.legs.map((leg, index) => (
              <span key={index}>
                {index > 0 && ' · '}
                {names('split', leg.kind)} <Money amount={leg.amount} currency={currency} />
              </span>
            ))}
          </p>
        </div>
      ))}
    </>
  );
}
