import { ActionIcon, Alert, Button, CopyButton, Loader, Tooltip } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconClockExclamation, IconCopy, IconPlugConnectedX } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Problem } from '../api/problem';
import { useErrorText } from '../api/texts';
import { useLanguage } from '../i18n';
import { Money } from './Money';
import { Moment } from './Moment';
import type { Read } from './read';
import css from './shared.module.css';
import { useShared } from './texts';

export function Loading({ rows = 4 }: { rows?: number }) {
  const t = useShared();
  return (
    <div className={css.loading} role="status" aria-label={t('state.loading')}>
      {Array.from({ length: rows }, (_, index) => (
        <span key={index} className={css.bone} data-length={index % 3} />
      ))}
    </div>
  );
}

export function Waiting({ children }: { children: ReactNode }) {
  return (
    <p className={css.waiting} role="status">
      <Loader size={16} aria-hidden /> <span>{children}</span>
    </p>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={css.empty}>
      <p className={css.emptyTitle}>{title}</p>
      {children}
    </div>
  );
}

export function Copy({ text }: { text: string }) {
  const t = useShared();
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? t('copied') : t('copy')}>
          <ActionIcon variant="subtle" size="xs" color="gray" onClick={copy} aria-label={t('copy_this', { text })}>
            {copied ? <IconCheck size={13} /> : <IconCopy size={13} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

export function RequestId({ id }: { id: string | null }) {
  const t = useShared();
  if (!id) return null;
  return (
    <span className={css.requestId}>
      {t('request_id')} <code>{id}</code>
      <Copy text={id} />
    </span>
  );
}

/** What a problem means in the reader's language, with the server's own sentence below it. */
export function ProblemText({ problem }: { problem: Problem }) {
  const error = useErrorText();
  const t = useShared();
  const language = useLanguage();
  const item = problem.first;
  return (
    <>
      <p className={css.problemText}>{error(problem.code, problem.first)}</p>
      {item && (language === 'en' || problem.items.length > 1 || item.type !== 'authentication_error') && (
        <ul className={css.problemList} lang="en">
          {problem.items.map((one, index) => (
            <li key={index}>
              {one.source?.pointer && <code>{one.source.pointer.replace('/data/', '')} </code>}
              {one.message}
            </li>
          ))}
        </ul>
      )}
      {item?.short_by && (
        <p className={css.problemText}>
          {t('problem.short_by')} <Money {...item.short_by} strong />
        </p>
      )}
      {item?.remedy && (
        <p className={css.problemText}>
          {t('problem.remedy')} <span lang="en">{item.remedy}</span>
        </p>
      )}
    </>
  );
}

interface FailedProps {
  problem: Problem;
  /** Of a write: what it did is said. */
  write?: boolean;
  retry?: () => void;
  children?: ReactNode;
}

export function Failed({ problem, write, retry, children }: FailedProps) {
  const t = useShared();
  const unreachable = problem.status === 0;
  const safe = !write || problem.outcome === 'nothing_happened' ? t('retry.safe') : t('retry.same_key');
  return (
    <Alert
      color={problem.outcome === 'nothing_happened' ? 'orange' : 'red'}
      icon={unreachable ? <IconPlugConnectedX size={18} /> : <IconAlertTriangle size={18} />}
      title={write ? t(`outcome.${problem.outcome}`) : t('state.failed')}
      role="alert"
      className={css.failed}
    >
      <ProblemText problem={problem} />
      <p className={css.problemFoot}>
        <span>{problem.mayRetry ? safe : t('retry.useless')}</span> <RequestId id={problem.requestId} />
      </p>
      {(retry ?? children) && (
        <div className={css.actions}>
          {children}
          {retry && (
            <Button size="xs" variant="default" onClick={retry}>
              {t('retry')}
            </Button>
          )}
        </div>
      )}
    </Alert>
  );
}

export function Stale({ problem, at, retry }: { problem: Problem; at: number; retry: () => void }) {
  const t = useShared();
  return (
    <div className={css.stale} role="status">
      <IconClockExclamation size={16} aria-hidden />
      <span>
        {t('state.stale')} <Moment at={new Date(at).toISOString()} seconds />
      </span>
      <RequestId id={problem.requestId} />
      <Button size="compact-xs" variant="default" onClick={retry}>
        {t('retry')}
      </Button>
    </div>
  );
}

/** The four states of something that is read. */
export function Loaded<T>({ read, children, rows }: { read: Read<T>; children: (value: T) => ReactNode; rows?: number }) {
  if (read.data !== undefined) {
    return (
      <>
        {read.error && <Stale problem={read.error} at={read.dataUpdatedAt} retry={() => void read.refetch()} />}
        {children(read.data)}
      </>
    );
  }
  if (read.error) return <Failed problem={read.error} retry={() => void read.refetch()} />;
  return <Loading rows={rows} />;
}
