import { ActionIcon, Button, Menu, TextInput, Tooltip } from '@mantine/core';
import { IconBookmark, IconStar, IconStarFilled, IconTrash } from '@tabler/icons-react';
import { useLocation } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useGo } from './Link';
import css from './table.module.css';
import { useShared } from './texts';
import { stringifySearch } from './url';
import { keepViews, readViews, withView } from './views';

export function Views({ id }: { id: string }) {
  const t = useShared();
  const go = useGo();
  const { pathname, search } = useLocation();
  const [views, setViews] = useState(() => readViews(id));
  const [name, setName] = useState('');
  const here = stringifySearch(search as Record<string, unknown>);
  const set = (next: typeof views) => {
    setViews(next);
    keepViews(id, next);
  };

  // Opened without filters, a table shows its first view.
  useEffect(() => {
    const first = readViews(id).find((view) => view.first);
    if (first && !here) go(pathname + first.search, { replace: true });
    // Only when it is opened: afterwards an empty filter is meant.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [id]);

  return (
    <Menu position="bottom-end" width={280} closeOnItemClick={false}>
      <Menu.Target>
        <Tooltip label={t('views')}>
          <ActionIcon variant="default" size="md" aria-label={t('views')}>
            <IconBookmark size={16} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {views.length === 0 && <p className={css.hint}>{t('views.none')}</p>}
        {views.map((view) => (
          <div key={view.name} className={css.view}>
            <Button variant="subtle" size="xs" justify="flex-start" onClick={() => go(pathname + view.search)} data-here={view.search === here || undefined}>
              {view.name}
            </Button>
            <ActionIcon
              variant="subtle"
              size="sm"
              aria-label={t('views.first')}
              aria-pressed={view.first === true}
              onClick={() => set(withView(views, { ...view, first: !view.first }))}
            >
              {view.first ? <IconStarFilled size={14} /> : <IconStar size={14} />}
            </ActionIcon>
            <ActionIcon variant="subtle" size="sm" color="red" aria-label={t('views.remove')} onClick={() => set(views.filter((one) => one !== view))}>
              <IconTrash size={14} />
            </ActionIcon>
          </div>
        ))}
        <form
          className={css.newView}
          onSubmit={(event) => {
            event.preventDefault();
            if (!name.trim()) return;
            set(withView(views, { name: name.trim(), search: here }));
            setName('');
          }}
        >
          <TextInput size="xs" aria-label={t('views.name')} placeholder={t('views.name')} value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <Button type="submit" size="xs" variant="default">
            {t('views.save')}
          </Button>
        </form>
      </Menu.Dropdown>
    </Menu>
  );
}
