import { useMemo } from 'react';
import { api, type Schemas } from '../../api/client';
import { useErrorText } from '../../api/texts';
import { moment } from '../../shared/clock';
import { DataTable, type Column } from '../../shared/DataTable';
import { FilterChoice, FilterText } from '../../shared/Filter';
import { Moment } from '../../shared/Moment';
import { Page, State } from '../../shared/Page';
import { useFilters } from '../../shared/url';
import css from './developer.module.css';
import { useDeveloperTexts } from './texts';

type Line = Schemas['RequestLine'];

export default function Requests() {
  const t = useDeveloperTexts();
  const error = useErrorText();
  const [filters] = useFilters();
  const query = { request_id: filters.request_id || undefined, status_class: filters.status || undefined };
  const columns = useMemo(
    (): Column<Line>[] => [
      { id: 'at', header: t('request.at'), width: 190, cell: (line) => <Moment at={line.at} seconds />, text: (line, zone) => moment(line.at, zone, true) },
      {
        id: 'what',
        header: t('request.what'),
        width: 340,
        heading: true,
        cell: (line) => (
          <span>
            <b>{line.method}</b> <code>{line.path}</code>
          </span>
        ),
        text: (line) => `${line.method} ${line.path}`,
      },
      {
        id: 'status',
        header: t('request.status'),
        width: 80,
        cell: (line) => <State tone={line.status < 300 ? 'good' : line.status < 500 ? 'warn' : 'bad'}>{line.status}</State>,
        text: (line) => String(line.status),
      },
      {
        id: 'error',
        header: t('request.error'),
        width: 260,
        cell: (line) =>
          line.error_code && (
            <span className={css.two}>
              <code>{line.error_code}</code>
              <span className={css.small}>{error(line.error_code)}</span>
            </span>
          ),
        text: (line) => line.error_code ?? '',
      },
      { id: 'latency', header: t('request.latency'), width: 90, align: 'end', cell: (line) => line.latency_ms, text: (line) => line.latency_ms },
      { id: 'request', header: t('request.id'), width: 250, cell: (line) => <code>{line.request_id}</code>, text: (line) => line.request_id },
      { id: 'key', header: t('request.key'), width: 210, extra: true, cell: (line) => <code>{line.key_id}</code>, text: (line) => line.key_id ?? '' },
    ],
    [t, error],
  );
  return (
    <Page title={t('requests')} lead={t('requests.lead')}>
      <DataTable<Line>
        id="requests"
        label={t('requests')}
        queryKey={['request_log', query]}
        read={(page, signal) => api.GET('/v1/request_log', { signal, params: { query: { ...query, ...page } } })}
        rowId={(line) => `${line.request_id} ${line.at}`}
        columns={columns}
        live
        empty={t('requests.none')}
        filters={
          <>
            <FilterText name="request_id" label={t('request.id')} width={260} />
            <FilterChoice name="status" label={t('request.status')} width={120} options={['2xx', '4xx', '5xx'].map((value) => ({ value, label: value }))} />
          </>
        }
      />
    </Page>
  );
}
