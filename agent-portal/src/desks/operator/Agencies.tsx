import { useMemo } from 'react';
import { api, type Schemas } from '../../api/client';
import { DataTable, type Column } from '../../shared/DataTable';
import { To, ToButton } from '../../shared/Link';
import { useNames } from '../../shared/names';
import { Name, Page, State, type Tone } from '../../shared/Page';
import { useOperatorTexts } from './texts';

type Agency = Schemas['Agency'];
export const agencyTones: Record<Schemas['AgencyStatus'], Tone> = { active: 'good', frozen: 'bad', closed: 'quiet' };

export default function Agencies() {
  const t = useOperatorTexts();
  const names = useNames();
  const columns = useMemo(
    (): Column<Agency>[] => [
      {
        id: 'name',
        header: t('agency.name'),
        width: 230,
        heading: true,
        cell: (agency) => (
          <To to={`/agencies/${agency.id}`} fw={600}>
            <Name>{agency.name}</Name>
          </To>
        ),
        text: (agency) => agency.name,
      },
      { id: 'code', header: t('agency.code'), width: 110, cell: (agency) => agency.numeric_code, text: (agency) => agency.numeric_code },
      { id: 'status', header: t('state'), width: 100, cell: (agency) => <State tone={agencyTones[agency.status]}>{names('agency_status', agency.status)}</State>, text: (agency) => agency.status },
      { id: 'tier', header: t('agency.tier'), width: 100, cell: (agency) => names('tier', agency.tier), text: (agency) => agency.tier },
      { id: 'tender', header: t('agency.tender'), width: 180, cell: (agency) => names('tender_order', agency.tender_order), text: (agency) => agency.tender_order },
      { id: 'currency', header: t('currency'), width: 80, cell: (agency) => agency.currency, text: (agency) => agency.currency },
      { id: 'zone', header: t('agency.zone'), width: 140, cell: (agency) => agency.time_zone, text: (agency) => agency.time_zone },
      { id: 'country', header: t('country'), width: 80, extra: true, cell: (agency) => agency.country, text: (agency) => agency.country },
    ],
    [t, names],
  );
  return (
    <Page
      title={t('agencies')}
      actions={
        <ToButton size="xs" to="/agencies/new">
          {t('onboard')}
        </ToButton>
      }
    >
      <DataTable<Agency>
        id="agencies"
        label={t('agencies')}
        queryKey={['agencies', 'list']}
        read={(page, signal) => api.GET('/v1/agencies', { signal, params: { query: page } })}
        rowId={(agency) => agency.id}
        columns={columns}
        empty={t('agencies.none')}
      />
    </Page>
  );
}
