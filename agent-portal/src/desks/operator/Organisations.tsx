import { useMemo } from 'react';
import { api, type Schemas } from '../../api/client';
import { moment } from '../../shared/clock';
import { DataTable, type Column } from '../../shared/DataTable';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Name, Page } from '../../shared/Page';
import { useOperatorTexts } from './texts';

type Organisation = Schemas['Organisation'];

export default function Organisations() {
  const t = useOperatorTexts();
  const names = useNames();
  const columns = useMemo(
    (): Column<Organisation>[] => [
      { id: 'name', header: t('agency.name'), width: 260, heading: true, cell: (one) => <Name>{one.name}</Name>, text: (one) => one.name },
      { id: 'kind', header: t('kind'), width: 120, cell: (one) => names('kind', one.kind), text: (one) => one.kind },
      { id: 'country', header: t('country'), width: 80, cell: (one) => one.country, text: (one) => one.country },
      { id: 'id', header: t('id'), width: 220, cell: (one) => <code>{one.id}</code>, text: (one) => one.id },
      { id: 'created', header: t('created'), width: 176, cell: (one) => <Moment at={one.created_at} />, text: (one, zone) => moment(one.created_at, zone, true) },
    ],
    [t, names],
  );
  return (
    <Page title={t('organisations')}>
      <DataTable<Organisation>
        id="organisations"
        label={t('organisations')}
        queryKey={['organisations']}
        read={(page, signal) => api.GET('/v1/organisations', { signal, params: { query: page } })}
        rowId={(one) => one.id}
        columns={columns}
        empty={t('organisations.none')}
      />
    </Page>
  );
}
