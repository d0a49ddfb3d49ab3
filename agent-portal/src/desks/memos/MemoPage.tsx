import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api, download, type Schemas } from '../../api/client';
import { asProblem, type Problem } from '../../api/problem';
import { useSession } from '../../session/session';
import { remaining } from '../../shared/clock';
import { Grid } from '../../shared/Grid';
import { To } from '../../shared/Link';
import { Money } from '../../shared/Money';
import { Countdown, Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Code, Columns, Facts, Name, Page, Panel, Quiet, Stack, State } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Failed, Loaded } from '../../shared/States';
import shared from '../../shared/shared.module.css';
import { sideOf, tones } from './memo';
import css from './memos.module.css';
import { useReasons } from './reasons';
import { MemoSteps } from './Steps';
import { useMemoTexts } from './texts';

type File = Schemas['MemoFile'];

export default function MemoPage() {
  const t = useMemoTexts();
  const names = useNames();
  const { memoId } = useParams({ strict: false }) as { memoId: string };
  const read = useRead(['memos', 'one', memoId], (signal) => api.GET('/v1/memos/{id}', { signal, params: { path: { id: memoId } } }), { every: 15_000 });
  const memo = read.data?.data;
  return (
    <Page
      name={memo && names('memo_kind', memo.kind)}
      title={
        memo ? (
          <span className={shared.row}>
            {names('memo_kind', memo.kind)} <Money amount={memo.total_amount} currency={memo.currency} /> <State tone={tones[memo.status]}>{names('memo_status', memo.status)}</State>
          </span>
        ) : (
          t('memo')
        )
      }
    >
      <Loaded read={read}>{({ data }) => <Inside memo={data} />}</Loaded>
    </Page>
  );
}

function Inside({ memo }: { memo: File }) {
  const t = useMemoTexts();
  const { organisation } = useSession();
  const reasons = useReasons();
  const { currency } = memo;
  return (
    <Columns wide="left">
      <Stack>
        <MemoSteps memo={memo} />
        <Panel title={t('tickets')} tight>
          <Grid
            label={t('tickets')}
            empty={t('memos.none')}
            head={[t('ticket'), { text: t('amount'), end: true }]}
            rows={memo.tickets.map((one) => ({
              key: one.number,
              cells: [
                organisation.kind === 'bank' ? (
                  <Code key="n">{one.number}</Code>
                ) : (
                  <To key="n" to={`/tickets/${one.number.replace('-', '')}`}>
                    {one.number}
                  </To>
                ),
                <Money key="a" amount={one.amount} currency={currency} />,
              ],
            }))}
          />
        </Panel>
        <History memo={memo} />
      </Stack>
      <Panel title={t('about')}>
        <Facts
          facts={[
            [t('reason'), reasons.name(memo.reason)],
            [t('claimed'), <Money key="c" amount={memo.claimed_amount} currency={currency} />],
            [t('fee'), <Money key="f" amount={memo.fee_amount} currency={currency} />],
            [t('total'), <Money key="t" amount={memo.total_amount} currency={currency} strong />],
            memo.decided_amount ? [t('decided_amount'), <Money key="d" amount={memo.decided_amount} currency={currency} strong />] : null,
            memo.decided_at ? [t('decided_at'), <Moment key="da" at={memo.decided_at} />] : null,
            memo.cycle ? [t('cycle'), memo.cycle] : null,
            memo.kind === 'adm' && memo.status === 'posted' ? [t('paid'), <Money key="p" amount={memo.paid_amount} currency={currency} />] : null,
            [t('agency'), <Name key="g">{memo.agency_name}</Name>],
            [t('airline'), <Name key="l">{memo.airline_name}</Name>],
            memo.answer_by
              ? [
                  t('answer_by'),
                  <span key="b">
                    <Moment at={memo.answer_by} /> <Countdown until={memo.answer_by} />
                  </span>,
                ]
              : null,
            memo.left_secs && (memo.status === 'disputed' || memo.status === 'answered') ? [t('clock_stands'), remaining(memo.left_secs)] : null,
            [t('created'), <Moment key="cr" at={memo.created_at} />],
            [t('id'), <Code key="i">{memo.id}</Code>],
          ]}
        />
      </Panel>
    </Columns>
  );
}

/** Everything that was done about it, by whom, with the evidence. */
function History({ memo }: { memo: File }) {
  const t = useMemoTexts();
  const names = useNames();
  const reasons = useReasons();
  const { organisation } = useSession();
  const [problem, setProblem] = useState<Problem | null>(null);
  return (
    <Panel title={t('history')}>
      {problem && <Failed problem={problem} />}
      <ol className={css.history}>
        {memo.steps.map((one) => (
          <li key={one.version}>
            <div className={shared.row}>
              <b>{names('memo_step', one.step)}</b>
              <Moment at={one.created_at} />
              {one.by_organisation_id === organisation.id ? <Name>{organisation.name}</Name> : <Quiet>{t(`side.${sideOf(one.step)}`)}</Quiet>}
            </div>
            {one.reason && <p>{reasons.name(one.reason)}</p>}
            {one.note && <p className={css.note}>{one.note}</p>}
            {one.attachment_ids.map((id, place) => (
              <button
                key={id}
                type="button"
                className={shared.asLink}
                onClick={() => {
                  setProblem(null);
                  download(`/v1/attachments/${id}/content`, `${id}.pdf`).catch((error: unknown) => setProblem(asProblem(error)));
                }}
              >
                {t('evidence', { number: place + 1 })}
              </button>
            ))}
          </li>
        ))}
      </ol>
    </Panel>
  );
}
