import { Link } from '@tanstack/react-router';
import { textsOf, useLanguage } from '../i18n';
import type { Session } from '../session/session';
import { groups } from './screen';
import { screensOf } from './screens';
import css from './shell.module.css';
import { useShell } from './texts';

export function Navigation({ session }: { session: Session }) {
  const t = useShell();
  useLanguage();
  const entries = screensOf(session).filter((screen) => screen.entry);
  return (
    <nav aria-label={t('navigation')} className={css.navigation}>
      {groups.map((group) => {
        const inside = entries.filter((screen) => screen.entry!.group === group).sort((one, other) => one.entry!.order - other.entry!.order);
        if (!inside.length) return null;
        return (
          <div key={group} className={css.group}>
            <p className={css.groupName}>{t(`group.${group}`)}</p>
            <ul>
              {inside.map(({ path, entry, texts }) => {
                const Icon = entry!.icon;
                return (
                  <li key={path}>
                    <Link to={path} className={css.entry} activeProps={{ 'data-here': true, 'aria-current': 'page' } as object} activeOptions={{ exact: false, includeSearch: false }}>
                      <Icon size={16} stroke={1.7} aria-hidden />
                      <span>{textsOf<Record<string, string>>(texts)(entry!.label)}</span>
                    </Link>
                  </li>
                );
              })}
            </ul>
          </div>
        );
      })}
    </nav>
  );
}
