import { Button, NativeSelect, TextInput } from '@mantine/core';
import { IconDownload, IconMail, IconPrinter } from '@tabler/icons-react';
import { useState } from 'react';
import { answer, api, download, type Schemas } from '../../../api/client';
import { asProblem, type Problem } from '../../../api/problem';
import { Moment } from '../../../shared/Moment';
import { Panel, State } from '../../../shared/Page';
import { useRead } from '../../../shared/read';
import { Failed } from '../../../shared/States';
import { useAction } from '../../../shared/use-action';
import css from '../agency.module.css';
import { useAgencyTexts } from '../texts';

type Order = Schemas['Order'];

/** The itinerary receipt: as a file, on paper, and by e-mail to whoever the agent names. */
export function ReceiptPanel({ order }: { order: Order }) {
  const t = useAgencyTexts();
  const [problem, setProblem] = useState<Problem | null>(null);
  const [loading, setLoading] = useState(false);
  const save = () => {
    setLoading(true);
    setProblem(null);
    download(`/v1/orders/${order.id}/receipt`, `receipt_${order.booking_reference}.pdf`)
      .catch((error: unknown) => setProblem(asProblem(error)))
      .finally(() => setLoading(false));
  };
  return (
    <Panel title={t('receipt')}>
      <div className={css.row}>
        <Button size="xs" variant="default" leftSection={<IconDownload size={14} />} loading={loading} onClick={save}>
          {t('receipt.pdf')}
        </Button>
        <Button size="xs" variant="default" leftSection={<IconPrinter size={14} />} onClick={() => window.print()}>
          {t('order.print')}
        </Button>
      </div>
      {problem && <Failed problem={problem} />}
      <ByMail order={order} />
      <Sent order={order} />
    </Panel>
  );
}

function ByMail({ order }: { order: Order }) {
  const t = useAgencyTexts();
  const known = order.passengers.map((one) => one.email).find(Boolean) ?? '';
  const [email, setEmail] = useState(known);
  const [language, setLanguage] = useState('zh-CN');
  const send = useAction((input: { email: string; language: string }, key) =>
    answer(
      api.POST('/v1/orders/{id}/receipt_emails', {
        params: { path: { id: order.id }, header: { 'Idempotency-Key': key } },
        body: { data: input },
      }),
    ),
  );
  const address = email.trim();
  return (
    <form
      className={css.formGrid}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (address && !send.isPending) send.mutate({ email: address, language });
      }}
    >
      <TextInput
        label={t('receipt.to')}
        type="email"
        inputMode="email"
        value={email}
        error={send.error?.about('email')?.message}
        onChange={(event) => setEmail(event.currentTarget.value)}
      />
      <NativeSelect
        label={t('receipt.language')}
        value={language}
        data={[
          { value: 'zh-CN', label: '中文' },
          { value: 'en', label: 'English' },
        ]}
        onChange={(event) => setLanguage(event.currentTarget.value)}
      />
      {send.error && !send.error.about('email') && <Failed problem={send.error} write />}
      <div className={css.row}>
        <Button type="submit" size="xs" leftSection={<IconMail size={14} />} loading={send.isPending} disabled={!address}>
          {t('receipt.send')}
        </Button>
      </div>
    </form>
  );
}

const tones = { queued: 'busy', sent: 'good', failed: 'bad' } as const;

function Sent({ order }: { order: Order }) {
  const t = useAgencyTexts();
  const read = useRead(
    ['orders', 'receipt_emails', order.id],
    (signal) => api.GET('/v1/orders/{id}/receipt_emails', { signal, params: { path: { id: order.id } } }),
    { every: 20_000 },
  );
  const sent = read.data?.data ?? [];
  if (!sent.length) return null;
  return (
    <ul className={css.plainList} aria-label={t('receipt.sent_list')}>
      {sent.map((one) => (
        <li key={one.id}>
          <bdi>{one.email}</bdi> <State tone={tones[one.state as keyof typeof tones] ?? 'quiet'}>{t(`receipt.${one.state as 'sent'}`)}</State>{' '}
          <Moment at={one.sent_at ?? one.created_at} />
        </li>
      ))}
    </ul>
  );
}
