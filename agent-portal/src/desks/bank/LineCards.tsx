import type { Schemas } from '../../api/client';
import { useSession } from '../../session/session';
import { share } from '../../shared/amount';
import { To } from '../../shared/Link';
import { Money } from '../../shared/Money';
import { Facts, Panel, State } from '../../shared/Page';
import { Empty } from '../../shared/States';
import css from './bank.module.css';
import { useBankTexts } from './texts';

type Line = Schemas['Facility'];
export const linePath = (kind: string, id: string) => `${kind === 'bank' ? '/bank' : ''}/lines/${id}`;

export function LineCards({ lines }: { lines: readonly Line[] }) {
  const t = useBankTexts();
  const { organisation } = useSession();
  if (lines.length === 0) {
    return (
      <Panel>
        <Empty title={t('lines.none')} />
      </Panel>
    );
  }
  return (
    <div className={css.cards}>
      {lines.map((line) => (
        <Panel
          key={line.id}
          title={<To to={linePath(organisation.kind, line.id)}>{line.name}</To>}
          aside={<State tone={line.gate.open ? 'good' : 'bad'}>{line.gate.open ? t('line.open') : t('line.closed')}</State>}
        >
          <Use line={line} />
        </Panel>
      ))}
    </div>
  );
}

/** Drawn, held and free, as parts of one bar. */
export function Use({ line }: { line: Line }) {
  const t = useBankTexts();
  const { currency } = line;
  const drawn = share(line.drawn_amount, line.limit_amount);
  const held = Math.min(100 - drawn, share(line.held_amount, line.limit_amount));
  return (
    <>
      <svg className={css.bar} viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden>
        <rect width="100" height="4" className={css.free} />
        <rect width={drawn} height="4" className={css.drawn} />
        <rect x={drawn} width={held} height="4" className={css.held} />
      </svg>
      <Facts
        columns={2}
        facts={[
          [t('line.headroom'), <Money key="h" amount={line.headroom_amount} currency={currency} strong />],
          [t('line.limit'), <Money key="l" amount={line.limit_amount} currency={currency} />],
          [t('line.drawn'), <Money key="d" amount={line.drawn_amount} currency={currency} />],
          [t('line.held'), <Money key="p" amount={line.held_amount} currency={currency} />],
          [t('line.unconfirmed'), `${line.unconfirmed} / ${line.max_unconfirmed}`],
          line.gate.reason ? [t('line.reason'), line.gate.reason] : null,
        ]}
      />
    </>
  );
}
