import { grouped, isNegative, isZero } from './amount';
import css from './shared.module.css';

interface MoneyProps {
  amount: string | null | undefined;
  currency: string;
  strong?: boolean;
  /** Nothing is shown for zero. */
  quietZero?: boolean;
}

/** An amount with its ISO code, in figures of one width. */
export function Money({ amount, currency, strong, quietZero }: MoneyProps) {
  if (amount === null || amount === undefined || (quietZero && isZero(amount))) return <span className={css.quiet}>–</span>;
  return (
    <span className={css.money} data-negative={isNegative(amount) || undefined} data-strong={strong || undefined}>
      <span className={css.currency}>{currency}</span> {grouped(amount)}
    </span>
  );
}
