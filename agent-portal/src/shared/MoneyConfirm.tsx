import { Alert, Button, TextInput } from '@mantine/core';
import { IconCheck, IconClock, IconRefresh } from '@tabler/icons-react';
import { useId, useState, type ReactNode } from 'react';
import { EmailedCode } from './EmailedCode';
import { isMore, money, typedAmount, type Amount } from './amount';
import { Money } from './Money';
import { Moment } from './Moment';
import type { MoneyWrite } from './money-write';
import { Failed, ProblemText, RequestId, Waiting } from './States';
import css from './shared.module.css';
import { useShared } from './texts';

/** From here on the amount is typed, so that nobody confirms it unread. */
export const typedFrom = '20000.00';

export interface Balance {
  label: string;
  before: string;
  after: string;
}

interface ConfirmProps<T, B> {
  write: MoneyWrite<T, B>;
  body: () => B;
  what: string;
  total: Amount;
  payee: ReactNode;
  source: ReactNode;
  balance?: Balance | null;
  /** Why it cannot be confirmed now. */
  blocked?: ReactNode;
  submitLabel: string;
  onCancel?: () => void;
  children?: ReactNode;
  done: (result: T, replayed: boolean) => ReactNode;
  /** What to do about a refusal, such as pricing anew. */
  cure?: (code: string) => ReactNode;
}

/** Repeats amount, currency, payee, source and the balance after; never optimistic. */
export function MoneyConfirm<T, B>(props: ConfirmProps<T, B>) {
  const { write, total, balance } = props;
  const t = useShared();
  const label = useId();
  const [typed, setTyped] = useState('');
  // Once a code was needed its form stays, also while what was sent with it is on its way.
  const [coded, setCoded] = useState(false);
  if (write.phase.at === 'code' && !coded) setCoded(true);
  const large = !isMore(typedFrom, total.amount);
  const matches = !large || typedAmount(typed, total.amount.split('.')[1]?.length ?? 0) === total.amount;
  const busy = write.phase.at === 'sending' || write.phase.at === 'asking_again';
  const open = write.phase.at === 'open' || write.phase.at === 'refused';

  if (write.phase.at === 'done') return <>{props.done(write.phase.result, write.phase.replayed)}</>;

  return (
    <section className={css.confirm} aria-labelledby={label}>
      <h2 id={label} className={css.panelTitle}>
        {props.what}
      </h2>
      <dl className={css.confirmFacts}>
        <div data-main>
          <dt>{t('confirm.amount')}</dt>
          <dd>
            <Money {...total} strong />
          </dd>
        </div>
        <div>
          <dt>{t('confirm.payee')}</dt>
          <dd>{props.payee}</dd>
        </div>
        <div>
          <dt>{t('confirm.source')}</dt>
          <dd>{props.source}</dd>
        </div>
        {balance && (
          <div>
            <dt>{balance.label}</dt>
            <dd>
              <Money amount={balance.before} currency={total.currency} /> → <Money amount={balance.after} currency={total.currency} strong />
            </dd>
          </div>
        )}
      </dl>
      {props.children}

      {write.interrupted && (
        <Alert color="yellow" icon={<IconClock size={18} />} title={t('confirm.interrupted')}>
          <p className={css.problemText}>
            {t('confirm.interrupted_text')} <Moment at={write.interrupted.sentAt} seconds />
          </p>
          <div className={css.actions}>
            <Button size="xs" onClick={write.ask} leftSection={<IconRefresh size={14} />}>
              {t('confirm.ask_what_happened')}
            </Button>
          </div>
        </Alert>
      )}
      {write.phase.at === 'asking_again' && (
        <Alert color="yellow" icon={<IconClock size={18} />} title={t('confirm.no_answer')} role="alert">
          <p className={css.problemText}>{t('confirm.asking_again', { attempt: write.phase.attempt + 1 })}</p>
          <ProblemText problem={write.phase.problem} />
        </Alert>
      )}
      {write.phase.at === 'unknown' && (
        <Alert color="red" icon={<IconClock size={18} />} title={t('outcome.unknown')} role="alert">
          <p className={css.problemText}>{t('confirm.unknown_text')}</p>
          <ProblemText problem={write.phase.problem} />
          <RequestId id={write.phase.problem.requestId} />
          <div className={css.actions}>
            <Button size="xs" onClick={write.ask} leftSection={<IconRefresh size={14} />}>
              {t('confirm.ask_what_happened')}
            </Button>
          </div>
        </Alert>
      )}
      {write.phase.at === 'refused' && (
        <Failed problem={write.phase.problem} write>
          {props.cure?.(write.phase.problem.code)}
        </Failed>
      )}
      {coded && (write.phase.at === 'code' || busy) && <EmailedCode write={write} body={props.body} submitLabel={props.submitLabel} busy={busy} />}
      {props.blocked && open && <Alert color="orange">{props.blocked}</Alert>}

      {large && open && !write.interrupted && !props.blocked && (
        <TextInput
          label={t('confirm.type_amount', { amount: money(total) })}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          inputMode="decimal"
          autoComplete="off"
          error={typed.length > 2 && !matches && total.amount.startsWith(typed) === false ? t('confirm.other_amount') : undefined}
        />
      )}
      {write.phase.at === 'sending' && <Waiting>{t('confirm.sending')}</Waiting>}
      <div className={css.actions}>
        {props.onCancel && (
          <Button variant="default" onClick={props.onCancel} disabled={busy}>
            {t('cancel')}
          </Button>
        )}
        {!(coded && (write.phase.at === 'code' || busy)) && (
          <Button
            onClick={() => write.submit(props.body())}
            disabled={!open || !matches || Boolean(props.blocked) || Boolean(write.interrupted)}
            loading={busy}
            leftSection={<IconCheck size={16} />}
            data-confirm
          >
            {props.submitLabel}
          </Button>
        )}
      </div>
    </section>
  );
}
