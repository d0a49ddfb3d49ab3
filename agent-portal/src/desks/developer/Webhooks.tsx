import { Switch, TagsInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import { answer, api, type Schemas } from '../../api/client';
import { Ask } from '../../shared/Ask';
import { To } from '../../shared/Link';
import { Moment } from '../../shared/Moment';
import { Facts, Page, Panel, State } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Secret } from '../../shared/Secret';
import { Empty, Failed, Loaded } from '../../shared/States';
import { useAction } from '../../shared/use-action';
import { Button } from '@mantine/core';
import css from './developer.module.css';
import { useDeveloperTexts } from './texts';

type Webhook = Schemas['Webhook'];
export const eventTypes = [
  'order.created',
  'order.creation_failed',
  'order.airline_initiated_change_detected',
  'order_cancellation.created',
  'order_cancellation.confirmed',
  'air.payment.succeeded',
  'ping.triggered',
];

export default function Webhooks() {
  const t = useDeveloperTexts();
  const [secret, setSecret] = useState<string | null>(null);
  const read = useRead(['webhooks'], (signal) => api.GET('/air/webhooks', { signal, params: { query: { limit: 100 } } }));
  return (
    <Page title={t('webhooks')} lead={t('webhooks.lead')} actions={<NewWebhook onSecret={setSecret} />}>
      {secret && <Secret label={t('webhook.secret')} secret={secret} onSeen={() => setSecret(null)} />}
      <Loaded read={read}>
        {({ data }) =>
          data.length === 0 ? (
            <Panel>
              <Empty title={t('webhooks.none')} />
            </Panel>
          ) : (
            <>
              {data.map((webhook) => (
                <One key={webhook.id} webhook={webhook} onSecret={setSecret} />
              ))}
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

function One({ webhook, onSecret }: { webhook: Webhook; onSecret: (secret: string) => void }) {
  const t = useDeveloperTexts();
  const path = { params: { path: { id: webhook.id } } };
  const [pinged, setPinged] = useState(false);
  const change = useAction((active: boolean) => answer(api.PATCH('/air/webhooks/{id}', { ...path, body: { data: { active } } })));
  const ping = useAction(
    () => answer(api.POST('/air/webhooks/{id}/actions/ping', path)),
    () => setPinged(true),
  );
  const rotate = useAction(
    (overlap_secs: number, key) =>
      answer(api.POST('/air/webhooks/{id}/actions/rotate_secret', { ...path, headers: { 'Idempotency-Key': key }, body: { data: { overlap_secs } } })),
    (made) => {
      const { secret } = (made as { data: { secret?: string | null } }).data;
      if (secret) onSecret(secret);
    },
  );
  const remove = useAction((_: true) => answer(api.DELETE('/air/webhooks/{id}', path)));
  const problem = change.error ?? ping.error;
  return (
    <Panel
      title={<span className={css.url}>{webhook.url}</span>}
      aside={
        <Switch
          checked={webhook.active}
          onChange={(event) => change.mutate(event.currentTarget.checked)}
          label={webhook.active ? t('webhook.active') : t('webhook.stopped')}
          size="xs"
        />
      }
    >
      <Facts
        columns={2}
        facts={[
          [t('webhook.events'), webhook.events.join(', ') || t('webhook.all_events')],
          [
            t('webhook.health'),
            webhook.failing_since ? (
              <span key="f">
                <State tone="bad">{t('webhook.failing')}</State> <Moment at={webhook.failing_since} />
              </span>
            ) : (
              <State key="g" tone="good">
                {t('webhook.healthy')}
              </State>
            ),
          ],
        ]}
      />
      {problem && <Failed problem={problem} write />}
      <div className={css.row}>
        <Button size="xs" variant="default" onClick={() => ping.mutate()} loading={ping.isPending}>
          {pinged ? t('webhook.pinged') : t('webhook.ping')}
        </Button>
        <Ask label={t('webhook.rotate')} title={t('webhook.rotate')} action={rotate} input={() => 86_400}>
          <p>{t('webhook.rotate_text')}</p>
        </Ask>
        <Ask label={t('webhook.remove')} title={t('webhook.remove')} action={remove} input={() => true as const} danger>
          <p>{t('webhook.remove_text')}</p>
        </Ask>
        <To to={`/developer/deliveries?webhook_id=${webhook.id}`}>{t('deliveries')}</To>
      </div>
    </Panel>
  );
}

function NewWebhook({ onSecret }: { onSecret: (secret: string) => void }) {
  const t = useDeveloperTexts();
  const [url, setUrl] = useState('');
  const [events, setEvents] = useState<string[]>(['order.created']);
  const make = useAction(
    (data: Schemas['CreateWebhook'], key) => answer(api.POST('/air/webhooks', { headers: { 'Idempotency-Key': key }, body: { data } })),
    (made) => {
      const { secret } = (made as { data: { secret?: string | null } }).data;
      if (secret) onSecret(secret);
      setUrl('');
    },
  );
  return (
    <Ask
      label={t('webhook.new')}
      title={t('webhook.new')}
      action={make}
      input={() => (/^https?:\/\/\S+$/.test(url.trim()) && events.length ? { url: url.trim(), events } : null)}
      variant="filled"
    >
      <TextInput label={t('webhook.url')} placeholder="https://" value={url} onChange={(event) => setUrl(event.currentTarget.value)} data-autofocus />
      <TagsInput label={t('webhook.events')} data={eventTypes} value={events} onChange={setEvents} />
    </Ask>
  );
}
