import { Checkbox, Select, TagsInput, TextInput } from '@mantine/core';
import { useMemo, useState } from 'react';
import { answer, api, type Schemas } from '../../api/client';
import { Ask } from '../../shared/Ask';
import { moment } from '../../shared/clock';
import { DataTable, type Column } from '../../shared/DataTable';
import { Moment } from '../../shared/Moment';
import { Page, State } from '../../shared/Page';
import { Secret } from '../../shared/Secret';
import { useAction } from '../../shared/use-action';
import { usePreferences } from '../../session/preferences';
import { useSession } from '../../session/session';
import css from './developer.module.css';
import { useDeveloperTexts } from './texts';

type Key = Schemas['ApiKey'];
const scopes = ['air:read', 'air:write', 'finance:read', 'parties:read', 'keys:write', 'webhooks:write', 'coupons:write', 'clock:write', 'parties:write', 'finance:write', 'approvals:write'];

export default function Keys() {
  const t = useDeveloperTexts();
  const { organisation } = useSession();
  const [secret, setSecret] = useState<string | null>(null);
  const columns = useMemo(
    (): Column<Key>[] => [
      { id: 'name', header: t('key.name'), width: 180, heading: true, cell: (key) => <bdi>{key.name}</bdi>, text: (key) => key.name },
      { id: 'hint', header: t('key.hint'), width: 150, cell: (key) => <code>{key.hint}</code>, text: (key) => key.hint },
      {
        id: 'state',
        header: t('key.state'),
        width: 110,
        cell: (key) => <KeyState value={key} />,
        text: (key) => (key.revoked_at ? 'revoked' : 'active'),
      },
      { id: 'scopes', header: t('key.scopes'), width: 300, cell: (key) => <span className={css.small}>{key.scopes.join(', ')}</span>, text: (key) => key.scopes.join(' ') },
      { id: 'expires', header: t('key.expires'), width: 176, cell: (key) => <Moment at={key.expires_at} />, text: (key, zone) => (key.expires_at ? moment(key.expires_at, zone) : '') },
      { id: 'created', header: t('created'), width: 176, extra: true, cell: (key) => <Moment at={key.created_at} />, text: (key, zone) => moment(key.created_at, zone) },
      { id: 'ips', header: t('key.ips'), width: 150, extra: true, cell: (key) => key.allowed_ips.join(', ') || t('key.any_ip'), text: (key) => key.allowed_ips.join(' ') },
      { id: 'actions', header: t('actions'), width: 180, cell: (key) => <KeyActions value={key} onSecret={setSecret} />, text: () => '' },
    ],
    [t],
  );
  return (
    <Page title={t('keys')} lead={t('keys.lead')} actions={<NewKey onSecret={setSecret} />}>
      {secret && <Secret label={t('key.made')} secret={secret} onSeen={() => setSecret(null)} />}
      <DataTable<Key>
        id="keys"
        label={t('keys')}
        queryKey={['keys']}
        read={(page, signal) => api.GET('/v1/keys', { signal, params: { query: page } })}
        rowId={(key) => key.id}
        columns={columns}
        empty={t('keys.none')}
        emptyHelp={organisation.name}
      />
    </Page>
  );
}

function KeyState({ value }: { value: Key }) {
  const t = useDeveloperTexts();
  if (value.revoked_at) return <State tone="quiet">{t('key.revoked')}</State>;
  if (value.expires_at && new Date(value.expires_at) < new Date()) return <State tone="quiet">{t('key.expired')}</State>;
  return <State tone="good">{t('key.active')}</State>;
}

function KeyActions({ value, onSecret }: { value: Key; onSecret: (secret: string) => void }) {
  const t = useDeveloperTexts();
  const [overlap, setOverlap] = useState(3600);
  const path = { params: { path: { id: value.id } } };
  const roll = useAction(
    (overlap_secs: number, key) =>
      answer(api.POST('/v1/keys/{id}/actions/roll', { ...path, headers: { 'Idempotency-Key': key }, body: { data: { overlap_secs } } })),
    (made) => {
      const { secret } = (made as Schemas['Data_IssuedKey']).data;
      if (secret) onSecret(secret);
    },
  );
  const revoke = useAction((_: true, key) =>
    answer(api.POST('/v1/keys/{id}/actions/revoke', { ...path, headers: { 'Idempotency-Key': key }, body: { data: {} } })),
  );
  if (value.revoked_at) return null;
  return (
    <div className={css.row}>
      <Ask label={t('key.roll')} title={`${t('key.roll')}: ${value.name}`} action={roll} input={() => overlap} size="compact-xs">
        <p className={css.small}>{t('key.roll_text')}</p>
        <Select
          label={t('key.overlap')}
          data={[
            { value: '0', label: t('key.overlap_none') },
            { value: '3600', label: t('key.overlap_hour') },
            { value: '86400', label: t('key.overlap_day') },
            { value: '604800', label: t('key.overlap_week') },
          ]}
          value={String(overlap)}
          onChange={(choice) => setOverlap(Number(choice))}
          allowDeselect={false}
        />
      </Ask>
      <Ask label={t('key.revoke')} title={`${t('key.revoke')}: ${value.name}`} action={revoke} input={() => true as const} danger size="compact-xs">
        <p>{t('key.revoke_text')}</p>
      </Ask>
    </div>
  );
}

function NewKey({ onSecret }: { onSecret: (secret: string) => void }) {
  const t = useDeveloperTexts();
  const { permissions } = useSession();
  const { mode } = usePreferences();
  const possible = scopes.filter((scope) => permissions.includes(scope) || (mode === 'test' && scope === 'clock:write'));
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<string[]>(['air:read']);
  const [ips, setIps] = useState<string[]>([]);
  const [days, setDays] = useState('90');
  const make = useAction(
    (data: Schemas['CreateKey'], key) => answer(api.POST('/v1/keys', { headers: { 'Idempotency-Key': key }, body: { data } })),
    (made) => {
      const { secret } = (made as Schemas['Data_IssuedKey']).data;
      if (secret) onSecret(secret);
      setName('');
    },
  );
  const input = (): Schemas['CreateKey'] | null =>
    name.trim() && chosen.length
      ? {
          name: name.trim(),
          scopes: chosen,
          ...(ips.length ? { allowed_ips: ips } : {}),
          ...(Number(days) > 0 ? { expires_at: new Date(Math.ceil(Date.now() / 86_400_000 + Number(days)) * 86_400_000).toISOString() } : {}),
        }
      : null;
  return (
    <Ask label={t('key.new')} title={t('key.new')} action={make} input={input} variant="filled">
      <TextInput label={t('key.name')} value={name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus />
      <Checkbox.Group label={t('key.scopes')} value={chosen} onChange={setChosen}>
        <div className={css.scopes}>
          {possible.map((scope) => (
            <Checkbox key={scope} value={scope} label={scope} size="xs" />
          ))}
        </div>
      </Checkbox.Group>
      <TagsInput label={t('key.ips')} description={t('key.ips_help')} value={ips} onChange={setIps} />
      <Select
        label={t('key.expires')}
        data={(['30', '90', '365', '0'] as const).map((value) => ({ value, label: t(`key.days_${value}`) }))}
        value={days}
        onChange={(value) => setDays(value ?? '90')}
        allowDeselect={false}
      />
    </Ask>
  );
}

