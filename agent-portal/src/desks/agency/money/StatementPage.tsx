import { useParams } from '@tanstack/react-router';
import { useMemo } from 'react';
import { api, type Schemas } from '../../../api/client';
import { DataTable, type Column } from '../../../shared/DataTable';
import { To } from '../../../shared/Link';
import { Money } from '../../../shared/Money';
import { Moment } from '../../../shared/Moment';
import { useNames } from '../../../shared/names';
import { Facts, Page, Panel } from '../../../shared/Page';
import { useRead } from '../../../shared/read';
import { Copy, Loaded } from '../../../shared/States';
import { useAgencyTexts } from '../texts';
import { DownloadStatement } from './Statements';

type Line = Schemas['StatementLine'];

export default function StatementPage() {
  const t = useAgencyTexts();
  const names = useNames();
  const { statementId } = useParams({ strict: false }) as { statementId: string };
  const read = useRead(['statements', 'one', statementId], (signal) => api.GET('/v1/statements/{id}', { signal, params: { path: { id: statementId } } }));
  const currency = read.data?.data.currency ?? '';
  const columns = useMemo(
    (): Column<Line>[] => [
      { id: 'date', header: t('statement.date'), width: 100, cell: (line) => line.date, text: (line) => line.date },
      { id: 'kind', header: t('statement.kind'), width: 100, cell: (line) => names('statement', line.kind), text: (line) => line.kind },
      {
        id: 'document',
        header: t('sold.tickets'),
        width: 140,
        heading: true,
        cell: (line) => (/^\d{13}$/.test(line.document) ? <To to={`/tickets/${line.document}`}>{line.document}</To> : line.document),
        text: (line) => line.document,
      },
      { id: 'pnr', header: t('order.reference'), width: 90, cell: (line) => line.booking_reference, text: (line) => line.booking_reference },
      ...(['gross_amount', 'commission_amount', 'net_amount'] as const).map(
        (field): Column<Line> => ({
          id: field,
          header: t(`statements.${field}`),
          width: 130,
          align: 'end',
          cell: (line) => <Money amount={line[field]} currency={currency} strong={field === 'net_amount'} />,
          text: (line) => line[field],
        }),
      ),
    ],
    [t, names, currency],
  );
  return (
    <Page title={read.data ? `${t('statement')} ${read.data.data.cycle}` : t('statement')} actions={read.data && <DownloadStatement statement={read.data.data} />}>
      <Loaded read={read}>
        {({ data }) => (
          <>
            <Panel>
              <Facts
                columns={4}
                facts={[
                  [t('cycles.days'), `${data.first_day} – ${data.last_day}`],
                  [t('statements.gross_amount'), <Money key="g" amount={data.gross_amount} currency={data.currency} />],
                  [t('statements.commission_amount'), <Money key="c" amount={data.commission_amount} currency={data.currency} />],
                  [t('statements.to_remit_amount'), <Money key="r" amount={data.to_remit_amount} currency={data.currency} strong />],
                  [t('statements.closed'), <Moment key="t" at={data.closed_at} />],
                  [t('statements.lines'), data.line_count],
                  [
                    'SHA-256',
                    <span key="s">
                      <code>{data.sha256.slice(0, 16)}…</code> <Copy text={data.sha256} />
                    </span>,
                  ],
                ]}
              />
            </Panel>
            <DataTable<Line>
              id="statement-lines"
              label={t('statement')}
              queryKey={['statements', 'lines', data.id]}
              read={(page, signal) => api.GET('/v1/statements/{id}/lines', { signal, params: { path: { id: data.id }, query: page } })}
              rowId={(line) => line.id}
              columns={columns}
              empty={t('statement.none')}
            />
          </>
        )}
      </Loaded>
    </Page>
  );
}
