import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import { ask, useSession } from '../../session/session';
import { Ask } from '../../shared/Ask';
import { Moment } from '../../shared/Moment';
import { Actions, Code, Columns, Facts, Name, Page, Panel, Quiet, Stack, State } from '../../shared/Page';
import { Secret } from '../../shared/Secret';
import { Empty, Failed, Loaded } from '../../shared/States';
import { useAction } from '../../shared/use-action';
import { useNames } from '../../shared/names';
import type { Device, SecondFactor } from './people';
import css from './account.module.css';
import { useAccountTexts } from './texts';
import { usePeople } from './use-people';

export default function Account() {
  const t = useAccountTexts();
  const names = useNames();
  const { user, organisation, roles } = useSession();
  return (
    <Page title={t('account')}>
      <Columns>
        <Stack>
          <Panel title={t('account.who')}>
            <Facts
              facts={[
                [t('name'), <Name key="n">{user.name}</Name>],
                [t('email'), user.email],
                [t('organisation'), <Name key="o">{organisation.name}</Name>],
                [t('roles'), roles.map((role) => names('role', role)).join(', ')],
              ]}
            />
          </Panel>
          <Password />
        </Stack>
        <Stack>
          <Factor />
          <Devices />
        </Stack>
      </Columns>
    </Page>
  );
}

function Password() {
  const t = useAccountTexts();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [done, setDone] = useState(false);
  const change = useAction(
    () => ask('POST', '/v1/session/actions/change_password', { current_password: current, password: next }),
    () => {
      setDone(true);
      setCurrent('');
      setNext('');
    },
  );
  return (
    <Panel title={t('password')}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (current && next) change.mutate();
        }}
      >
        <PasswordInput label={t('password.current')} autoComplete="current-password" value={current} onChange={(event) => setCurrent(event.currentTarget.value)} />
        <PasswordInput label={t('password.new')} autoComplete="new-password" value={next} onChange={(event) => setNext(event.currentTarget.value)} />
        {change.error && <Failed problem={change.error} write />}
        {done && !change.error && <p role="status">{t('password.changed')}</p>}
        <Actions>
          <Button type="submit" loading={change.isPending} disabled={!current || !next}>
            {t('password.change')}
          </Button>
        </Actions>
      </form>
    </Panel>
  );
}

function Devices() {
  const t = useAccountTexts();
  const read = usePeople<Device[]>('/v1/sessions');
  const end = useAction((id: string) => ask('DELETE', `/v1/sessions/${id}`));
  return (
    <Panel title={t('devices')}>
      <Loaded read={read} rows={2}>
        {(devices) =>
          devices.length === 0 ? (
            <Empty title={t('devices.none')} />
          ) : (
            <ul className={css.list}>
              {devices.map((one) => (
                <li key={one.id}>
                  <span>
                    <b>{one.device}</b> <Quiet>{one.address}</Quiet> {one.is_current && <State tone="good">{t('devices.this')}</State>}
                    <br />
                    <Quiet>{t('devices.seen')}</Quiet> <Moment at={one.seen_at} />
                  </span>
                  {!one.is_current && (
                    <Button size="compact-xs" variant="default" onClick={() => end.mutate(one.id)} loading={end.isPending && end.variables === one.id}>
                      {t('devices.end')}
                    </Button>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      {end.error && <Failed problem={end.error} />}
    </Panel>
  );
}

function Factor() {
  const t = useAccountTexts();
  const read = usePeople<{ second_factors: SecondFactor[] }>('/v1/second_factors');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [begun, setBegun] = useState<{ id: string; secret: string; otpauth_url: string } | null>(null);
  const [recovery, setRecovery] = useState<string[] | null>(null);
  const begin = useAction(
    (value: string) => ask<{ id: string; secret: string; otpauth_url: string }>('POST', '/v1/second_factors', { password: value }),
    (made) => {
      setBegun(made);
      setPassword('');
    },
  );
  const confirm = useAction(
    (value: string) => ask<{ recovery_codes: string[] }>('POST', `/v1/second_factors/${begun!.id}/actions/confirm`, { code: value }),
    (made) => {
      setBegun(null);
      setCode('');
      setRecovery(made?.recovery_codes ?? null);
    },
  );
  const remove = useAction((value: { id: string; password: string; code: string }) =>
    ask('POST', `/v1/second_factors/${value.id}/actions/remove`, { password: value.password, code: value.code }),
  );
  return (
    <Panel title={t('factor')}>
      {recovery && <Secret label={t('factor.recovery')} secret={recovery.join('  ')} onSeen={() => setRecovery(null)} />}
      {begun && (
        <form
          className={css.form}
          onSubmit={(event) => {
            event.preventDefault();
            confirm.mutate(code.trim());
          }}
        >
          <p>{t('factor.add_text')}</p>
          <p>
            <Code>{begun.secret}</Code>
          </p>
          <p>
            <a href={begun.otpauth_url}>{t('factor.open_app')}</a>
          </p>
          <TextInput label={t('factor.code')} inputMode="numeric" autoComplete="one-time-code" value={code} onChange={(event) => setCode(event.currentTarget.value)} autoFocus />
          {confirm.error && <Failed problem={confirm.error} />}
          <Actions>
            <Button type="submit" loading={confirm.isPending} disabled={code.trim().length < 6}>
              {t('factor.confirm')}
            </Button>
          </Actions>
        </form>
      )}
      <Loaded read={read} rows={1}>
        {({ second_factors: all }) => {
          const active = all.filter((one) => one.confirmed_at);
          if (active.length === 0 && !begun) {
            return (
              <>
                <p>{t('factor.none')}</p>
                <Ask label={t('factor.begin')} title={t('factor.begin')} action={begin} input={() => password || null} variant="filled">
                  <PasswordInput label={t('password.current')} autoComplete="current-password" value={password} onChange={(event) => setPassword(event.currentTarget.value)} data-autofocus />
                </Ask>
              </>
            );
          }
          return (
            <ul className={css.list}>
              {active.map((one) => (
                <li key={one.id}>
                  <span>
                    <State tone="good">{t('factor.on')}</State> <Moment at={one.confirmed_at} /> · {t('factor.left', { count: one.recovery_codes_left })}
                  </span>
                  <Ask
                    label={t('factor.remove')}
                    title={t('factor.remove')}
                    action={remove}
                    input={() => (password && code ? { id: one.id, password, code: code.trim() } : null)}
                    danger
                    size="compact-xs"
                  >
                    <PasswordInput label={t('password.current')} autoComplete="current-password" value={password} onChange={(event) => setPassword(event.currentTarget.value)} data-autofocus />
                    <TextInput label={t('factor.code')} value={code} onChange={(event) => setCode(event.currentTarget.value)} autoComplete="one-time-code" />
                  </Ask>
                </li>
              ))}
            </ul>
          );
        }}
      </Loaded>
    </Panel>
  );
}
