import { Checkbox, Textarea } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { answer, api, type Schemas } from '../../api/client';
import { useSession } from '../../session/session';
import { Ask } from '../../shared/Ask';
import { To } from '../../shared/Link';
import { Lines } from '../../shared/Lines';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Quiet, Stack, State } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Loaded } from '../../shared/States';
import { useTwoPeople } from '../../shared/two-people';
import { useAction } from '../../shared/use-action';
import { useLimitTexts } from './texts';

type Switch = Schemas['KillSwitch'];
type Scope = Schemas['FreezeScope'];
export const scopes: readonly Scope[] = ['api', 'issue', 'refund', 'withdrawal'];

/** What a switch stops. */
export function Stops({ scopes: stopped }: { scopes: readonly Scope[] | null | undefined }) {
  const t = useLimitTexts();
  const names = useNames();
  return <>{stopped ? stopped.map((one) => names('scope', one)).join(' · ') : t('switch.everything')}</>;
}

/** Two people lift a switch: one asks, another one agrees. That of a default goes with the reinstatement. */
export function Lift({ thrown, waiting }: { thrown: Switch; waiting: readonly Schemas['Approval'][] }) {
  const t = useLimitTexts();
  const { permissions } = useSession();
  const [reason, setReason] = useState('');
  const lift = useTwoPeople('unfreeze');
  const asked = waiting.find((one) => one.subject === thrown.id);
  if (thrown.lifted_at) {
    return (
      <Quiet>
        {t('switch.lifted')} <Moment at={thrown.lifted_at} />
      </Quiet>
    );
  }
  if (thrown.grounds === 'default') return <Quiet>{t('switch.of_default')}</Quiet>;
  if (asked) {
    return (
      <To to={`/approvals/${asked.id}`}>
        <State tone="warn">{t('switch.asked')}</State>
      </To>
    );
  }
  if (!permissions.includes('parties:write')) return null;
  return (
    <Ask
      label={t('switch.lift')}
      title={t('switch.lift')}
      action={lift}
      size="compact-xs"
      input={() => (reason.trim() ? { reason: reason.trim(), change: { kill_switch_id: thrown.id } } : null)}
    >
      <p>{t('switch.lift_text')}</p>
      <Textarea label={t('reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} autosize minRows={2} maxLength={500} data-autofocus />
    </Ask>
  );
}

/** Stops a target at once; of an agency, all of its doings or some. */
export function Throw({ target, label, children }: { target: { id: string; of: 'agency' | 'airline' | 'facility' } | null; label?: string; children?: ReactNode }) {
  const t = useLimitTexts();
  const names = useNames();
  const [reason, setReason] = useState('');
  const [chosen, setChosen] = useState<Scope[]>([...scopes]);
  const run = useAction((data: Schemas['ThrowKillSwitch'], key) => answer(api.POST('/v1/kill_switches', { headers: { 'Idempotency-Key': key }, body: { data } })));
  const ofAgency = target?.of === 'agency';
  return (
    <Ask
      label={label ?? t('switch.throw')}
      title={label ?? t('switch.throw')}
      action={run}
      danger
      input={() =>
        target && reason.trim() && (!ofAgency || chosen.length > 0)
          ? { target_id: target.id, reason: reason.trim(), ...(ofAgency ? { scopes: scopes.filter((one) => chosen.includes(one)) } : {}) }
          : null
      }
    >
      <Stack>
        <p>{t('switch.throw_text')}</p>
        {children}
        {ofAgency && (
          <Checkbox.Group label={t('switch.scopes')} value={chosen} onChange={(value) => setChosen(value as Scope[])}>
            <Lines>
              {scopes.map((one) => (
                <li key={one}>
                  <Checkbox value={one} label={`${names('scope', one)}: ${t(`scope.${one}`)}`} />
                </li>
              ))}
            </Lines>
          </Checkbox.Group>
        )}
        <Textarea label={t('reason')} description={target?.of === 'facility' ? t('switch.reason_shown') : undefined} value={reason} onChange={(event) => setReason(event.currentTarget.value)} autosize minRows={2} maxLength={200} data-autofocus />
      </Stack>
    </Ask>
  );
}

/** What is on for one target, and the way to throw another one. */
export function SwitchesOn({ target }: { target: { id: string; of: 'agency' | 'airline' | 'facility' } }) {
  const t = useLimitTexts();
  const names = useNames();
  const { permissions } = useSession();
  const read = useRead(['kill_switches', 'on'], (signal) => api.GET('/v1/kill_switches', { signal, params: { query: { on: true, limit: 200 } } }), { every: 30_000 });
  const waiting = useRead(['approvals', 'unfreeze'], (signal) => api.GET('/v1/approvals', { signal, params: { query: { kind: 'unfreeze', status: 'pending', limit: 200 } } }));
  return (
    <Loaded read={read} rows={2}>
      {({ data }) => {
        const on = data.filter((one) => one.target_id === target.id);
        return (
          <Stack>
            {on.length === 0 ? (
              <Quiet>{t('switch.none_on')}</Quiet>
            ) : (
              <Lines>
                {on.map((one) => (
                  <li key={one.id} data-switch>
                    <State tone="bad">
                      <Stops scopes={one.scopes} />
                    </State>
                    <span>{one.reason}</span>
                    <Quiet>
                      {names('grounds', one.grounds)} · <Moment at={one.created_at} />
                    </Quiet>
                    <Lift thrown={one} waiting={waiting.data?.data ?? []} />
                  </li>
                ))}
              </Lines>
            )}
            {permissions.includes('parties:write') && (
              <div>
                <Throw target={target} />
              </div>
            )}
          </Stack>
        );
      }}
    </Loaded>
  );
}
