import { Button } from '@mantine/core';
import { useState } from 'react';
import { api, type Schemas } from '../../api/client';
import { Money } from '../../shared/Money';
import { useNames } from '../../shared/names';
import { Panel, State } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Loaded } from '../../shared/States';
import css from './tickets.module.css';
import { useTicketTexts } from './texts';

/** Which rule each coupon earned by, and, when asked, why every other rule did not hold. */
export function Commission({ number, coupons }: { number: string; coupons: readonly Schemas['TicketCoupon'][] }) {
  const t = useTicketTexts();
  const names = useNames();
  const [why, setWhy] = useState(false);
  const read = useRead(['tickets', number, 'commission'], (signal) => api.GET('/v1/tickets/{number}/commission', { signal, params: { path: { number } } }), {
    enabled: why,
    fresh: 600_000,
  });
  return (
    <Panel
      title={t('commission')}
      aside={
        <Button size="compact-xs" variant="default" onClick={() => setWhy(!why)} aria-expanded={why}>
          {t('commission.why')}
        </Button>
      }
    >
      <ul className={css.list}>
        {coupons.map((coupon) => (
          <li key={coupon.number}>
            {coupon.number} {coupon.origin}–{coupon.destination}:{' '}
            {coupon.commission_rule ? (
              <>
                <b>{coupon.commission_rule.code}</b> {t('version', { version: coupon.commission_rule.version })}
              </>
            ) : (
              t('commission.contract')
            )}{' '}
            <code>{coupon.commission_amount}</code>
          </li>
        ))}
      </ul>
      {why && (
        <Loaded read={read}>
          {({ data }) => (
            <>
              {data.coupons.map((coupon) => (
                <div key={coupon.number} className={css.explained}>
                  <p>
                    <b>
                      {coupon.number} {coupon.origin}–{coupon.destination} {coupon.booking_class}
                    </b>{' '}
                    <Money amount={coupon.amount} currency={data.currency} strong />
                  </p>
                  <ul className={css.list}>
                    {coupon.candidates.map((candidate) => (
                      <li key={`${candidate.id}${candidate.version}`}>
                        <State tone={candidate.verdict === 'won' ? 'good' : 'quiet'}>{names('verdict', candidate.verdict)}</State> {candidate.code}{' '}
                        {candidate.reason && <span className={css.small}>{names('verdict_reason', candidate.reason)}</span>}
                      </li>
                    ))}
                  </ul>
                </div>
              ))}
            </>
          )}
        </Loaded>
      )}
    </Panel>
  );
}
