import { api, type Schemas } from '../../api/client';
import { answer } from '../../api/client';
import { useLanguage } from '../../i18n';
import { useSession } from '../../session/session';
import { Ask } from '../../shared/Ask';
import { Grid } from '../../shared/Grid';
import { Lines } from '../../shared/Lines';
import { Money } from '../../shared/Money';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Code, Columns, Facts, Panel, Quiet, Stack, State, type Tone } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Empty, Loaded } from '../../shared/States';
import { useAction } from '../../shared/use-action';
import css from './limits.module.css';
import { measured, moved } from './score';
import { useLimitTexts } from './texts';

type Score = Schemas['Score'];
const statusTones: Record<string, Tone> = { A: 'good', B: 'warn', C: 'bad' };

/** The last decision about an agency, why it came out so, and how it moved. */
export function ScoreOf({ agencyId }: { agencyId: string }) {
  const t = useLimitTexts();
  const read = useRead(['scores', agencyId], (signal) => api.GET('/v1/scores/{agency}', { signal, params: { path: { agency: agencyId } } }));
  const past = useRead(['scores', 'past', agencyId], (signal) => api.GET('/v1/scores', { signal, params: { query: { agency_id: agencyId, limit: 60 } } }));
  if (read.error?.code === 'not_scored') {
    return (
      <Panel title={t('score')}>
        <Empty title={t('score.none')} />
      </Panel>
    );
  }
  return (
    <Loaded read={read}>
      {({ data }) => (
        <Columns>
          <Stack>
            <Decision score={data} />
            <Characteristics score={data} />
          </Stack>
          <Stack>
            <Loaded read={past} rows={3}>
              {({ data: scores }) => <Past scores={scores} />}
            </Loaded>
          </Stack>
        </Columns>
      )}
    </Loaded>
  );
}

function Decision({ score }: { score: Score }) {
  const t = useLimitTexts();
  const names = useNames();
  const language = useLanguage();
  const operator = useSession().organisation.kind === 'operator';
  return (
    <Panel title={t('score')} aside={operator ? <Replay score={score} /> : undefined}>
      <Stack>
        <div className={css.points}>
          <span className={css.grade}>{score.grade}</span>
          <span>
            {t('score.points', { points: score.points })} <State tone={statusTones[score.status] ?? 'quiet'}>{names('risk_status', score.status)}</State>
          </span>
        </div>
        <div>
          <b>{t('score.reasons')}</b>
          {score.reasons.length === 0 ? (
            <p>
              <Quiet>{t('score.no_reason')}</Quiet>
            </p>
          ) : (
            <Lines>
              {score.reasons.map((one) => (
                <li key={one.code}>
                  <Code>{one.code}</Code> {one[language]}
                </li>
              ))}
            </Lines>
          )}
        </div>
        <Facts
          columns={2}
          facts={[
            [t('score.multiplier'), score.multiplier],
            [t('score.cap'), score.cap_amount ? <Money key="c" amount={score.cap_amount} currency={score.currency} /> : t('score.no_cap')],
            [t('score.history'), names('risk_history', score.risk_history)],
            [t('score.cause'), names('score_cause', score.cause)],
            [t('score.as_of'), score.as_of],
            [t('score.taken'), <Moment key="t" at={score.taken_at} />],
            [t('score.card'), t('version', { version: score.score_card_version })],
          ]}
        />
      </Stack>
    </Panel>
  );
}

function Characteristics({ score }: { score: Score }) {
  const t = useLimitTexts();
  const names = useNames();
  return (
    <Panel title={t('score.characteristics')} tight>
      <Grid
        label={t('score.characteristics')}
        empty={t('score.none')}
        head={[t('score.characteristic'), { text: t('score.value'), end: true }, { text: t('score.worth'), end: true }, { text: t('score.weight'), end: true }]}
        rows={score.characteristics.map((one) => ({
          key: one.name,
          cells: [
            names('characteristic', one.name),
            measured(one.name, one.value, score.currency, (key, values) => t(key, values)),
            <span key="p" className={one.points < 50 ? css.down : undefined}>
              {one.points}
            </span>,
            one.weight,
          ],
        }))}
      />
    </Panel>
  );
}

function Past({ scores }: { scores: Score[] }) {
  const t = useLimitTexts();
  const names = useNames();
  const language = useLanguage();
  // Oldest first, from left to right; the scale is that of the card.
  const course = [...scores].reverse();
  const points = course.map((one, place) => `${course.length > 1 ? (place / (course.length - 1)) * 100 : 50},${60 - (one.points / 1000) * 56 - 2}`).join(' ');
  return (
    <Panel title={t('score.past')} tight>
      {course.length > 1 && (
        <svg className={css.course} viewBox="0 0 100 60" preserveAspectRatio="none" role="img" aria-label={t('score.course', { from: course[0]!.points, to: course.at(-1)!.points })}>
          {[0, 500, 1000].map((level) => (
            <line key={level} x1="0" x2="100" y1={60 - (level / 1000) * 56 - 2} y2={60 - (level / 1000) * 56 - 2} className={css.courseGround} />
          ))}
          <polyline points={points} className={css.courseLine} />
        </svg>
      )}
      <Grid
        label={t('score.past')}
        empty={t('score.none')}
        head={[t('score.as_of'), t('score.grade'), { text: t('score.points_head'), end: true }, t('score.cause'), t('score.first_reason')]}
        rows={scores.slice(0, 30).map((one, place) => {
          const step = moved(one, scores[place + 1]);
          return {
            key: one.id,
            cells: [
              one.as_of,
              one.grade,
              <span key="p">
                {one.points} {step !== 0 && <span className={step > 0 ? css.up : css.down}>{step > 0 ? `+${step}` : `−${-step}`}</span>}
              </span>,
              names('score_cause', one.cause),
              one.reasons[0]?.[language] ?? <Quiet key="r">–</Quiet>,
            ],
          };
        })}
      />
    </Panel>
  );
}

/** The same decision made again, from what is stored with it and from the records as they were. */
function Replay({ score }: { score: Score }) {
  const t = useLimitTexts();
  const names = useNames();
  const replay = useAction((as_of: string, key) =>
    answer(api.POST('/v1/scores/{agency}/actions/replay', { params: { path: { agency: score.agency_id } }, headers: { 'Idempotency-Key': key }, body: { data: { as_of } } })),
  );
  const found = replay.data && 'score' in replay.data.data ? replay.data.data : null;
  return (
    <>
      {found && (
        <span role="status">
          <State tone={found.from_inputs.agrees && found.from_records.agrees ? 'good' : 'bad'}>
            {found.from_inputs.agrees && found.from_records.agrees
              ? t('replay.agrees')
              : t('replay.differs', { names: found.differences.map((one) => names('characteristic', one.name)).join(', ') || '–' })}
          </State>{' '}
        </span>
      )}
      <Ask label={t('replay')} title={t('replay')} action={replay} input={() => score.as_of} size="compact-xs">
        <p>{t('replay.text')}</p>
      </Ask>
    </>
  );
}
