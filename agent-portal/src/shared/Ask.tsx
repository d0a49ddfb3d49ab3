import { Button, Modal } from '@mantine/core';
import type { UseMutationResult } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import type { Problem } from '../api/problem';
import { Failed } from './States';
import css from './shared.module.css';
import { useShared } from './texts';

interface AskProps<R, I> {
  label: string;
  title: string;
  action: UseMutationResult<R, Problem, I>;
  /** What is sent, or nothing while the form is not complete. */
  input: () => I | null;
  children?: ReactNode;
  danger?: boolean;
  disabled?: boolean;
  variant?: 'default' | 'filled';
  size?: 'xs' | 'compact-xs';
}

/** A button that asks before it does something, and says what came of it. */
export function Ask<R, I>(props: AskProps<R, I>) {
  const t = useShared();
  const [open, setOpen] = useState(false);
  const { action } = props;
  return (
    <>
      <Button
        size={props.size ?? 'xs'}
        variant={props.variant ?? 'default'}
        color={props.danger ? 'red' : undefined}
        disabled={props.disabled}
        onClick={() => {
          action.reset();
          setOpen(true);
        }}
      >
        {props.label}
      </Button>
      <Modal opened={open} onClose={() => setOpen(false)} title={props.title} closeButtonProps={{ 'aria-label': t('close') }}>
        <form
          className={css.stack}
          onSubmit={(event) => {
            event.preventDefault();
            const input = props.input();
            if (input !== null && !action.isPending) action.mutate(input, { onSuccess: () => setOpen(false) });
          }}
        >
          {props.children}
          {action.error && <Failed problem={action.error} write />}
          <div className={css.actions}>
            <Button variant="default" onClick={() => setOpen(false)}>
              {t('cancel')}
            </Button>
            <Button type="submit" color={props.danger ? 'red' : undefined} loading={action.isPending} disabled={props.input() === null}>
              {props.label}
            </Button>
          </div>
        </form>
      </Modal>
    </>
  );
}
