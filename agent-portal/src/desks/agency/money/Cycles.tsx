import { api, type Schemas } from '../../../api/client';
import { useAgency } from '../../../session/office';
import { isZero } from '../../../shared/amount';
import { To } from '../../../shared/Link';
import { Money } from '../../../shared/Money';
import { useNames } from '../../../shared/names';
import { Page, Panel, Stack, State, type Tone } from '../../../shared/Page';
import { useRead } from '../../../shared/read';
import { Empty, Loaded } from '../../../shared/States';
import css from '../agency.module.css';
import { useAgencyTexts } from '../texts';

export const obligationTones: Record<Schemas['ObligationState'], Tone> = {
  open: 'quiet',
  not_yet_due: 'busy',
  due: 'warn',
  overdue: 'bad',
  defaulted: 'bad',
  paid: 'good',
  written_off: 'quiet',
};

export default function Cycles() {
  const t = useAgencyTexts();
  const { agency } = useAgency();
  return (
    <Page title={t('cycles')} lead={t('cycles.lead')}>
      {agency && <CyclesOf agencyId={agency.id} />}
    </Page>
  );
}

export function CyclesOf({ agencyId }: { agencyId: string }) {
  const t = useAgencyTexts();
  const names = useNames();
  const cycles = useRead(['cycles', agencyId], (signal) => api.GET('/v1/cycles', { signal, params: { query: { agency_id: agencyId } } }));
  const obligations = useRead(['obligations', agencyId], (signal) =>
    api.GET('/v1/obligations', { signal, params: { query: { agency_id: agencyId, limit: 50 } } }),
  );
  const messages = useRead(['dunning', agencyId], (signal) =>
    api.GET('/v1/dunning_messages', { signal, params: { query: { agency_id: agencyId, limit: 20 } } }),
  );
  return (
    <Stack>
      <Panel title={t('cycles.owed')} tight>
        <Loaded read={obligations}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty title={t('cycles.nothing_owed')} />
            ) : (
              <div className={css.tableWrap} tabIndex={0} role="region" aria-label={t('cycles.owed')}>
                <table className={css.grid}>
                  <thead>
                    <tr>
                      <th>{t('cycle')}</th>
                      <th>{t('order.state')}</th>
                      <th>{t('cycles.due_on')}</th>
                      <th data-align="end">{t('cycles.billed')}</th>
                      <th data-align="end">{t('cycles.open')}</th>
                      <th />
                    </tr>
                  </thead>
                  <tbody>
                    {data.map((one) => (
                      <tr key={one.id}>
                        <td>{one.cycle}</td>
                        <td>
                          <State tone={obligationTones[one.state]}>{names('obligation', one.state)}</State>
                        </td>
                        <td>{one.due_on}</td>
                        <td data-align="end">
                          <Money amount={one.billed_amount} currency={one.currency} />
                        </td>
                        <td data-align="end">
                          <Money amount={one.open_amount} currency={one.currency} strong={!isZero(one.open_amount)} />
                        </td>
                        <td>
                          <To to={`/statements/${one.statement_id}`}>{t('statement')}</To>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )
          }
        </Loaded>
      </Panel>
      <Loaded read={cycles}>
        {({ data }) => (
          <Panel title={t('cycles.all')} tight>
            {data.length === 0 ? (
              <Empty title={t('cycles.none')} />
            ) : (
              <div className={css.tableWrap} tabIndex={0} role="region" aria-label={t('cycles.all')}>
                <table className={css.grid}>
                  <thead>
                    <tr>
                      <th>{t('cycle')}</th>
                      <th>{t('cycles.days')}</th>
                      <th>{t('cycles.due_on')}</th>
                      <th data-align="end">{t('cycles.sold')}</th>
                      <th data-align="end">{t('cycles.voided')}</th>
                      <th data-align="end">{t('cycles.refunded')}</th>
                      <th data-align="end">{t('cycles.commission')}</th>
                      <th data-align="end">{t('cycles.to_remit')}</th>
                      <th data-align="end">{t('cycles.remitted')}</th>
                      <th data-align="end">{t('cycles.open')}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {data.map((one) => (
                      <tr key={`${one.cycle}${one.currency}`}>
                        <td>{one.cycle}</td>
                        <td>
                          {one.first_day} – {one.last_day}
                        </td>
                        <td>{one.due_date}</td>
                        {[
                          one.sold_amount,
                          one.voided_amount,
                          one.refunded_amount,
                          one.netted_commission_amount,
                          one.to_remit_amount,
                          one.remitted_amount,
                          one.open_amount,
                        ].map((amount, index) => (
                          <td key={index} data-align="end">
                            <Money amount={amount} currency={one.currency} strong={index === 4} />
                          </td>
                        ))}
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
          </Panel>
        )}
      </Loaded>
      {messages.data && messages.data.data.length > 0 && (
        <Panel title={t('cycles.letters')}>
          <ul className={css.plainList}>
            {messages.data.data.map((message) => (
              <li key={message.id}>
                <b>{message.subject}</b> <State tone={message.state === 'sent' ? 'good' : 'quiet'}>{names('message', message.state)}</State>
                <span className={css.small}> {message.recipient}</span>
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </Stack>
  );
}
