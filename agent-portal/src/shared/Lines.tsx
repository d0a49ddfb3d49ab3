import type { ReactNode } from 'react';
import css from './shared.module.css';

/** A short list of things that are said in a line each. */
export const Lines = ({ children }: { children: ReactNode }) => <ul className={css.lines}>{children}</ul>;

/** Fields beside each other, below each other on a narrow screen; `data-whole` takes a line of its own. */
export const Fields = ({ children }: { children: ReactNode }) => <fieldset className={css.fieldset}>{children}</fieldset>;
