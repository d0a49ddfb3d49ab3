import { Button, Select, TextInput } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { answer, api, download, type Schemas } from '../../api/client';
import { asProblem, type Problem } from '../../api/problem';
import { Ask } from '../../shared/Ask';
import { dayIn, moment } from '../../shared/clock';
import { DataTable, type Column } from '../../shared/DataTable';
import { Moment } from '../../shared/Moment';
import { Page } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Copy, Failed } from '../../shared/States';
import { useAction } from '../../shared/use-action';
import { useAirlineTexts } from './texts';

type File = Schemas['ExportFile'];

export default function Exports() {
  const t = useAirlineTexts();
  const [problem, setProblem] = useState<Problem | null>(null);
  const columns = useMemo(
    (): Column<File>[] => [
      { id: 'date', header: t('export.day'), width: 120, heading: true, cell: (one) => <b>{one.date}</b>, text: (one) => one.date },
      { id: 'rows', header: t('export.rows'), width: 90, align: 'end', cell: (one) => one.rows, text: (one) => String(one.rows) },
      { id: 'bytes', header: t('export.bytes'), width: 100, align: 'end', cell: (one) => one.bytes, text: (one) => String(one.bytes) },
      {
        id: 'sha',
        header: 'SHA-256',
        width: 220,
        cell: (one) => (
          <>
            <code>{one.sha256.slice(0, 16)}…</code> <Copy text={one.sha256} />
          </>
        ),
        text: (one) => one.sha256,
      },
      { id: 'created', header: t('created'), width: 176, cell: (one) => <Moment at={one.created_at} />, text: (one, zone) => moment(one.created_at, zone, true) },
      {
        id: 'file',
        header: t('export.file'),
        width: 120,
        cell: (one) => (
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<IconDownload size={13} />}
            aria-label={`${t('export.download')} ${one.date}`}
            onClick={() => {
              setProblem(null);
              download(`/v1/exports/${one.id}/content`, `airline_day_${one.date}.csv`).catch((error: unknown) => setProblem(asProblem(error)));
            }}
          >
            {t('export.download')}
          </Button>
        ),
        text: (one) => one.url,
      },
    ],
    [t],
  );
  return (
    <Page title={t('exports')} lead={t('exports.lead')} actions={<NewExport />}>
      {problem && <Failed problem={problem} />}
      <DataTable<File>
        id="exports"
        label={t('exports')}
        queryKey={['exports']}
        read={(page, signal) => api.GET('/v1/exports', { signal, params: { query: page } })}
        rowId={(one) => one.id}
        columns={columns}
        empty={t('exports.none')}
      />
    </Page>
  );
}

function NewExport() {
  const t = useAirlineTexts();
  const airlines = useRead(['airlines', 'all'], (signal) => api.GET('/v1/airlines', { signal, params: { query: { limit: 200 } } }));
  const known = airlines.data?.data ?? [];
  const [airline, setAirline] = useState<string | null>(null);
  const [date, setDate] = useState(() => dayIn(new Date(Date.now() - 86_400_000), 'Asia/Shanghai'));
  const chosen = airline ?? known[0]?.id ?? null;
  const make = useAction((data: Schemas['MakeExport'], key) => answer(api.POST('/v1/exports', { headers: { 'Idempotency-Key': key }, body: { data } })));
  return (
    <Ask
      label={t('export.new')}
      title={t('export.new')}
      action={make}
      input={() => (chosen && /^\d{4}-\d\d-\d\d$/.test(date) ? { kind: 'airline_day' as const, airline_id: chosen, date } : null)}
      variant="filled"
    >
      <p>{t('export.new_text')}</p>
      <Select label={t('airline')} data={known.map((one) => ({ value: one.id, label: `${one.iata_code} ${one.name}` }))} value={chosen} onChange={setAirline} searchable />
      <TextInput label={t('export.day')} value={date} onChange={(event) => setDate(event.currentTarget.value)} placeholder="YYYY-MM-DD" />
    </Ask>
  );
}
