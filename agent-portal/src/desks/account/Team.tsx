import { Checkbox, TextInput } from '@mantine/core';
import { useState } from 'react';
import { ask, useSession } from '../../session/session';
import { useLanguage } from '../../i18n';
import { Ask } from '../../shared/Ask';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Name, Page, Panel, State } from '../../shared/Page';
import { Empty, Loaded } from '../../shared/States';
import { useAction } from '../../shared/use-action';
import type { Invitation, Role, User } from './people';
import css from './account.module.css';
import { useAccountTexts } from './texts';
import { usePeople } from './use-people';

export default function Team() {
  const t = useAccountTexts();
  const names = useNames();
  const users = usePeople<User[]>('/v1/users?limit=200');
  const invitations = usePeople<Invitation[]>('/v1/invitations?limit=100');
  const revoke = useAction((id: string, key) => ask('POST', `/v1/invitations/${id}/actions/revoke`, {}, key));
  return (
    <Page title={t('team')} lead={t('team.lead')} actions={<Invite />}>
      <Panel title={t('team.people')} tight>
        <Loaded read={users}>
          {(list) => (
            <div className={css.tableWrap} tabIndex={0} role="region" aria-label={t('team.people')}>
              <table className={css.grid}>
                <thead>
                  <tr>
                    <th>{t('name')}</th>
                    <th>{t('email')}</th>
                    <th>{t('roles')}</th>
                    <th>{t('factor')}</th>
                    <th>{t('state')}</th>
                    <th>{t('actions')}</th>
                  </tr>
                </thead>
                <tbody>
                  {list.map((user) => (
                    <tr key={user.id}>
                      <td>
                        <Name>{user.name}</Name>
                      </td>
                      <td>{user.email}</td>
                      <td>{user.roles.map((role) => names('role', role)).join(', ')}</td>
                      <td>{user.has_second_factor ? t('yes') : t('no')}</td>
                      <td>
                        <State tone={user.status === 'active' ? 'good' : 'quiet'}>{t(`user.${user.status}`)}</State>
                      </td>
                      <td>
                        <UserActions user={user} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </Loaded>
      </Panel>
      <Panel title={t('invitations')}>
        <Loaded read={invitations} rows={2}>
          {(list) =>
            list.length === 0 ? (
              <Empty title={t('invitations.none')} />
            ) : (
              <ul className={css.list}>
                {list.map((one) => (
                  <li key={one.id}>
                    <span>
                      {one.email} · {one.roles.map((role) => names('role', role)).join(', ')}{' '}
                      <State tone={one.status === 'open' ? 'warn' : one.status === 'accepted' ? 'good' : 'quiet'}>{t(`invitation.${one.status}`)}</State>{' '}
                      {one.status === 'open' && <Moment at={one.expires_at} />}
                    </span>
                    {one.status === 'open' && (
                      <Ask label={t('invitation.revoke')} title={t('invitation.revoke')} action={revoke} input={() => one.id} size="compact-xs" danger>
                        <p>{one.email}</p>
                      </Ask>
                    )}
                  </li>
                ))}
              </ul>
            )
          }
        </Loaded>
      </Panel>
    </Page>
  );
}

function RoleChoice({ chosen, onChange }: { chosen: string[]; onChange: (roles: string[]) => void }) {
  const t = useAccountTexts();
  const names = useNames();
  const { organisation } = useSession();
  const roles = usePeople<{ roles: Role[] }>('/v1/roles');
  return (
    <Checkbox.Group label={t('roles')} value={chosen} onChange={onChange}>
      <div className={css.roles}>
        {(roles.data?.roles ?? [])
          .filter((role) => role.organisation_kind === organisation.kind)
          .map((role) => (
            <Checkbox key={role.name} value={role.name} label={names('role', role.name)} description={role.permissions.join(', ')} size="xs" />
          ))}
      </div>
    </Checkbox.Group>
  );
}

function UserActions({ user }: { user: User }) {
  const t = useAccountTexts();
  const session = useSession();
  const [roles, setRoles] = useState(user.roles);
  const act = (name: string) => (data: object, key: string) => ask('POST', `/v1/users/${user.id}/actions/${name}`, data, key);
  const set = useAction(act('set_roles'));
  const disable = useAction(act('disable'));
  const enable = useAction(act('enable'));
  if (user.id === session.user.id) return null;
  return (
    <span className={css.row}>
      <Ask label={t('roles')} title={`${t('roles')}: ${user.name}`} action={set} input={() => (roles.length ? { roles } : null)} size="compact-xs">
        <RoleChoice chosen={roles} onChange={setRoles} />
      </Ask>
      {user.status === 'active' ? (
        <Ask label={t('user.disable')} title={`${t('user.disable')}: ${user.name}`} action={disable} input={() => ({})} danger size="compact-xs">
          <p>{t('user.disable_text')}</p>
        </Ask>
      ) : (
        <Ask label={t('user.enable')} title={`${t('user.enable')}: ${user.name}`} action={enable} input={() => ({})} size="compact-xs" />
      )}
    </span>
  );
}

function Invite() {
  const t = useAccountTexts();
  const language = useLanguage();
  const [email, setEmail] = useState('');
  const [roles, setRoles] = useState<string[]>([]);
  const invite = useAction(
    (data: object, key: string) => ask('POST', '/v1/invitations', data, key),
    () => setEmail(''),
  );
  const valid = /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(email.trim());
  return (
    <Ask
      label={t('invite')}
      title={t('invite')}
      action={invite}
      input={() => (valid && roles.length ? { email: email.trim(), roles, locale: language } : null)}
      variant="filled"
    >
      <TextInput label={t('email')} type="email" value={email} onChange={(event) => setEmail(event.currentTarget.value)} data-autofocus />
      <RoleChoice chosen={roles} onChange={setRoles} />
    </Ask>
  );
}
