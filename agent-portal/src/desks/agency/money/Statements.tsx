import { Button } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { api, download, type Schemas } from '../../../api/client';
import { asProblem, type Problem } from '../../../api/problem';
import { useAgency } from '../../../session/office';
import { moment } from '../../../shared/clock';
import { DataTable, type Column } from '../../../shared/DataTable';
import { To } from '../../../shared/Link';
import { Money } from '../../../shared/Money';
import { Moment } from '../../../shared/Moment';
import { Page } from '../../../shared/Page';
import { Failed } from '../../../shared/States';
import { useAgencyTexts } from '../texts';

type Statement = Schemas['BillingStatement'];

export default function Statements() {
  const t = useAgencyTexts();
  const { agency } = useAgency();
  return (
    <Page title={t('statements')} lead={t('statements.lead')}>
      {agency && <StatementsOf agencyId={agency.id} />}
    </Page>
  );
}

export function DownloadStatement({ statement }: { statement: Statement }) {
  const t = useAgencyTexts();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  return (
    <>
      <Button
        size="compact-xs"
        variant="default"
        leftSection={<IconDownload size={13} />}
        loading={busy}
        aria-label={`${t('statements.download')} ${statement.cycle}`}
        onClick={() => {
          setBusy(true);
          setProblem(null);
          download(`/v1/statements/${statement.id}/content`, `statement-${statement.cycle}.csv`)
            .catch((error: unknown) => setProblem(asProblem(error)))
            .finally(() => setBusy(false));
        }}
      >
        {t('statements.download')}
      </Button>
      {problem && <Failed problem={problem} />}
    </>
  );
}

export function StatementsOf({ agencyId }: { agencyId: string }) {
  const t = useAgencyTexts();
  const columns = useMemo(
    (): Column<Statement>[] => [
      {
        id: 'cycle',
        header: t('cycle'),
        width: 110,
        heading: true,
        cell: (one) => <To to={`/statements/${one.id}`}>{one.cycle}</To>,
        text: (one) => one.cycle,
      },
      { id: 'days', header: t('cycles.days'), width: 190, cell: (one) => `${one.first_day} – ${one.last_day}`, text: (one) => `${one.first_day}/${one.last_day}` },
      { id: 'lines', header: t('statements.lines'), width: 80, align: 'end', cell: (one) => one.line_count, text: (one) => String(one.line_count) },
      ...(['gross_amount', 'commission_amount', 'to_remit_amount'] as const).map(
        (field): Column<Statement> => ({
          id: field,
          header: t(`statements.${field}`),
          width: 140,
          align: 'end',
          cell: (one) => <Money amount={one[field]} currency={one.currency} strong={field === 'to_remit_amount'} />,
          text: (one) => `${one[field]} ${one.currency}`,
        }),
      ),
      { id: 'closed', header: t('statements.closed'), width: 176, cell: (one) => <Moment at={one.closed_at} />, text: (one, zone) => moment(one.closed_at, zone, true) },
      { id: 'file', header: t('statements.file'), width: 120, cell: (one) => <DownloadStatement statement={one} />, text: (one) => one.sha256 },
    ],
    [t],
  );
  return (
    <DataTable<Statement>
      id="statements"
      label={t('statements')}
      queryKey={['statements', agencyId]}
      read={(page, signal) => api.GET('/v1/statements', { signal, params: { query: { agency_id: agencyId, ...page } } })}
      rowId={(one) => one.id}
      columns={columns}
      empty={t('statements.none')}
    />
  );
}
