import { Badge } from '@mantine/core';
import { useEffect, type ReactNode } from 'react';
import css from './shared.module.css';

interface PageProps {
  title: ReactNode;
  /** The name of the window, where the title is more than text. */
  name?: string;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  narrow?: boolean;
}

export function Page({ title, name, lead, actions, children, narrow }: PageProps) {
  const window = name ?? (typeof title === 'string' ? title : '');
  useEffect(() => {
    document.title = window ? `${window} · Airsettle` : 'Airsettle';
  }, [window]);
  return (
    <div className={css.page} data-narrow={narrow || undefined}>
      <header className={css.pageHead}>
        <div>
          <h1 className={css.pageTitle}>{title}</h1>
          {lead && <div className={css.lead}>{lead}</div>}
        </div>
        {actions && <div className={css.pageActions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export function Panel({ title, aside, children, tight, id }: { title?: ReactNode; aside?: ReactNode; children: ReactNode; tight?: boolean; id?: string }) {
  return (
    <section className={css.panel} data-tight={tight || undefined} id={id}>
      {(title || aside) && (
        <header className={css.panelHead}>
          {title && <h2 className={css.panelTitle}>{title}</h2>}
          {aside && <div className={css.panelAside}>{aside}</div>}
        </header>
      )}
      <div className={css.panelBody}>{children}</div>
    </section>
  );
}

export type Fact = [label: string, value: ReactNode] | null | false | undefined;

export function Facts({ facts, columns = 1 }: { facts: readonly Fact[]; columns?: 1 | 2 | 3 | 4 }) {
  return (
    <dl className={css.facts} data-columns={columns}>
      {facts.filter((fact): fact is [string, ReactNode] => Boolean(fact)).map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export type Tone = 'good' | 'busy' | 'bad' | 'warn' | 'quiet';
const colours: Record<Tone, string> = { good: 'teal', busy: 'blue', bad: 'red', warn: 'yellow', quiet: 'gray' };

export function State({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <Badge color={colours[tone]} variant="light" radius="sm" className={css.state} data-tone={tone}>
      {children}
    </Badge>
  );
}

export const Code = ({ children }: { children: ReactNode }) => <code className={css.code}>{children}</code>;
export const Quiet = ({ children }: { children: ReactNode }) => <span className={css.quiet}>{children}</span>;

/** A person's or company's name: emoji and right-to-left names stay within their own place. */
export const Name = ({ children }: { children: ReactNode }) => <bdi className={css.name}>{children}</bdi>;

export function Columns({ children, wide }: { children: ReactNode; wide?: 'left' | 'right' }) {
  return (
    <div className={css.columns} data-wide={wide}>
      {children}
    </div>
  );
}
export const Stack = ({ children }: { children: ReactNode }) => <div className={css.stack}>{children}</div>;
export const Row = ({ children }: { children: ReactNode }) => <div className={css.row}>{children}</div>;
export const Actions = ({ children }: { children: ReactNode }) => <div className={css.actions}>{children}</div>;
