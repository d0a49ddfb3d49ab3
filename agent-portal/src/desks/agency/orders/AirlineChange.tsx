import { Alert, Button } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api, type Schemas } from '../../../api/client';
import { asProblem, type Problem } from '../../../api/problem';
import { ToButton } from '../../../shared/Link';
import { useNames } from '../../../shared/names';
import { Failed } from '../../../shared/States';
import css from '../agency.module.css';
import { SliceLine } from '../sell/Itinerary';
import { useAgencyTexts } from '../texts';

/** What the airline changed, and the three answers to it. */
export function AirlineChange({ change }: { change: Schemas['AirlineInitiatedChange'] }) {
  const t = useAgencyTexts();
  const names = useNames();
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const accept = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await answer(api.POST('/air/airline_initiated_changes/{id}/actions/accept', { params: { path: { id: change.id } } }));
      await queries.invalidateQueries();
    } catch (error) {
      setProblem(asProblem(error));
    }
    setBusy(false);
  };
  const can = (action: Schemas['AirlineChangeAction']) => change.available_actions.includes(action);
  return (
    <Alert color="red" title={t('airline_change.title')} data-airline-change>
      <p>{change.reason}</p>
      <div className={css.compare}>
        <div>
          <p className={css.small}>{t('airline_change.was')}</p>
          {change.removed.map((slice) => (
            <SliceLine key={slice.id} slice={slice} />
          ))}
        </div>
        <div>
          <p className={css.small}>{t('airline_change.offered')}</p>
          {change.added.length ? change.added.map((slice) => <SliceLine key={slice.id} slice={slice} />) : t('airline_change.nothing')}
        </div>
      </div>
      {problem && <Failed problem={problem} write />}
      <div className={css.row}>
        {can('accept') && (
          <Button size="xs" onClick={() => void accept()} loading={busy}>
            {names('airline_change', 'accept')}
          </Button>
        )}
        {can('change') && (
          <ToButton size="xs" variant="default" to={`/orders/${change.order_id}/change`}>
            {names('airline_change', 'change')}
          </ToButton>
        )}
        {can('cancel') && (
          <ToButton size="xs" variant="default" to={`/orders/${change.order_id}/cancel`}>
            {names('airline_change', 'cancel')}
          </ToButton>
        )}
      </div>
    </Alert>
  );
}
