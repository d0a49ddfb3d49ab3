import { ActionIcon, Button, Menu, SegmentedControl, Tooltip } from '@mantine/core';
import { useMantineColorScheme } from '@mantine/core';
import { IconAdjustmentsHorizontal, IconClockHour4, IconKeyboard, IconLogout, IconUserCircle } from '@tabler/icons-react';
import { setLanguage, useLanguage, type Language } from '../i18n';
import { prefer, usePreferences, type Preferences, type ZoneChoice } from '../session/preferences';
import { signOut, useSession } from '../session/session';
import { useZone } from '../shared/Moment';
import { Name } from '../shared/Page';
import css from './shell.module.css';
import { useShell } from './texts';

const zones: ZoneChoice[] = ['office', 'user', 'utc'];

function Choice<T extends string>(props: { label: string; value: T; options: { value: T; label: string }[]; choose: (value: T) => void }) {
  return (
    <div className={css.choice}>
      <span>{props.label}</span>
      <SegmentedControl size="xs" fullWidth aria-label={props.label} value={props.value} onChange={(value) => props.choose(value as T)} data={props.options} />
    </div>
  );
}

export function HeaderTools({ onHelp }: { onHelp: () => void }) {
  const t = useShell();
  const session = useSession();
  const language = useLanguage();
  const { setColorScheme } = useMantineColorScheme();
  const { zone, mode, scheme, density } = usePreferences();
  const zoneName = useZone();
  return (
    <>
      <Menu position="bottom-end" closeOnItemClick>
        <Menu.Target>
          <Button className={css.zone} variant="default" size="compact-sm" leftSection={<IconClockHour4 size={14} />} aria-label={`${t('zone')}: ${t(`zone.${zone}`)}, ${zoneName}`}>
            {t(`zone.${zone}`)}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{t('zone')}</Menu.Label>
          {zones.map((choice) => (
            <Menu.Item key={choice} onClick={() => prefer({ zone: choice })} role="menuitemradio" aria-checked={zone === choice} fw={zone === choice ? 600 : undefined}>
              {t(`zone.${choice}`)}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Label>{zoneName}</Menu.Label>
        </Menu.Dropdown>
      </Menu>
      <Menu position="bottom-end" width={270} closeOnItemClick={false}>
        <Menu.Target>
          <Tooltip label={t('settings')}>
            <ActionIcon variant="default" size={28} aria-label={t('settings')}>
              <IconAdjustmentsHorizontal size={16} />
            </ActionIcon>
          </Tooltip>
        </Menu.Target>
        <Menu.Dropdown>
          <div className={css.choices}>
            <Choice<Preferences['mode']>
              label={t('mode')}
              value={mode}
              options={[
                { value: 'live', label: t('mode.live') },
                { value: 'test', label: t('mode.test') },
              ]}
              choose={(value) => prefer({ mode: value })}
            />
            <Choice<Language>
              label={t('language')}
              value={language}
              options={[
                { value: 'zh-CN', label: '中文' },
                { value: 'en', label: 'English' },
              ]}
              choose={(value) => {
                prefer({ language: value });
                void setLanguage(value);
              }}
            />
            <Choice<ZoneChoice>
              label={t('zone')}
              value={zone}
              options={zones.map((value) => ({ value, label: t(`zone.${value}`) }))}
              choose={(value) => prefer({ zone: value })}
            />
            <Choice<Preferences['scheme']>
              label={t('scheme')}
              value={scheme}
              options={(['light', 'dark', 'auto'] as const).map((value) => ({ value, label: t(`scheme.${value}`) }))}
              choose={(value) => {
                prefer({ scheme: value });
                setColorScheme(value);
              }}
            />
            <Choice<Preferences['density']>
              label={t('density')}
              value={density}
              options={(['comfortable', 'compact'] as const).map((value) => ({ value, label: t(`density.${value}`) }))}
              choose={(value) => prefer({ density: value })}
            />
          </div>
        </Menu.Dropdown>
      </Menu>
      <Menu position="bottom-end" width={240}>
        <Menu.Target>
          <Tooltip label={session.user.name}>
            <ActionIcon variant="default" size={28} aria-label={t('account')}>
              <IconUserCircle size={17} />
            </ActionIcon>
          </Tooltip>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            <Name>{session.user.name}</Name> · {session.user.email}
            <br />
            <Name>{session.organisation.name}</Name>
          </Menu.Label>
          <Menu.Item leftSection={<IconKeyboard size={15} />} onClick={onHelp}>
            {t('shortcuts')}
          </Menu.Item>
          <Menu.Item leftSection={<IconLogout size={15} />} onClick={() => void signOut()}>
            {t('sign_out')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
