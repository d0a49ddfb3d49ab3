import { Modal } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useId, useMemo, useRef, useState } from 'react';
import { textsOf } from '../i18n';
import { prefer, usePreferences } from '../session/preferences';
import { useSession, type Session } from '../session/session';
import { useGo } from '../shared/Link';
import type { Found } from './screen';
import { desksOf, screensOf } from './screens';
import css from './shell.module.css';
import { useShell } from './texts';

interface Item {
  id: string;
  group: 'command' | 'found' | 'screens' | 'actions';
  text: string;
  detail?: string;
  run: () => void;
}

const order: Item['group'][] = ['command', 'found', 'screens', 'actions'];

async function findAll(typed: string, session: Session, signal: AbortSignal): Promise<Found[]> {
  const all = await Promise.all(desksOf(session).map((desk) => desk.find?.(typed, session, signal).catch(() => []) ?? []));
  return all.flat();
}

/** One place to go anywhere, look something up and, for experts, say what to do in one line. */
export function Palette({ opened, close }: { opened: boolean; close: () => void }) {
  const t = useShell();
  return (
    <Modal opened={opened} onClose={close} withCloseButton={false} size={620} padding={0} yOffset="9vh" title={t('search')} classNames={{ header: css.unseen }} transitionProps={{ duration: 80 }}>
      {opened && <Inside close={close} />}
    </Modal>
  );
}

function Inside({ close }: { close: () => void }) {
  const t = useShell();
  const session = useSession();
  const go = useGo();
  const { mode } = usePreferences();
  const list = useId();
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const box = useRef<HTMLUListElement>(null);
  const [asked] = useDebouncedValue(typed.trim(), 200);
  const found = useQuery({
    queryKey: [mode, 'palette', asked],
    queryFn: ({ signal }) => findAll(asked, session, signal),
    enabled: asked.length >= 2 || /\p{Script=Han}/u.test(asked),
    staleTime: 30_000,
  });

  const items = useMemo(() => {
    const text = typed.trim().toLowerCase();
    const open = (to: string) => () => {
      close();
      go(to);
    };
    const all: Item[] = [];
    for (const desk of desksOf(session)) {
      for (const meaning of desk.commands?.(typed.trim(), session) ?? []) {
        all.push({ id: `command ${meaning.to}`, group: 'command', text: meaning.text, run: open(meaning.to) });
      }
    }
    for (const one of (asked === typed.trim() && found.data) || []) {
      all.push({ id: one.id, group: 'found', text: one.text, detail: one.detail, run: open(one.to) });
    }
    for (const { entry, path, texts } of screensOf(session)) {
      if (!entry) continue;
      const name = textsOf<Record<string, string>>(texts)(entry.label);
      if (!text || `${name} ${path}`.toLowerCase().includes(text)) {
        all.push({ id: path, group: 'screens', text: name, detail: entry.letter && `g ${entry.letter}`, run: open(path) });
      }
    }
    const act = (id: string, name: string, run: () => void) => {
      if (text && name.toLowerCase().includes(text)) {
        all.push({
          id,
          group: 'actions',
          text: name,
          run: () => {
            close();
            run();
          },
        });
      }
    };
    act('compact', t('density.compact'), () => prefer({ density: 'compact' }));
    act('comfortable', t('density.comfortable'), () => prefer({ density: 'comfortable' }));
    act('test', t('mode.test'), () => prefer({ mode: 'test' }));
    act('live', t('mode.live'), () => prefer({ mode: 'live' }));
    return all.sort((one, other) => order.indexOf(one.group) - order.indexOf(other.group));
  }, [typed, asked, found.data, session, go, close, t]);

  const here = Math.min(at, Math.max(0, items.length - 1));
  useEffect(() => {
    box.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [here]);

  return (
    <div className={css.palette}>
      <div className={css.paletteInput}>
        <IconSearch size={17} aria-hidden />
        <input
          autoFocus
          data-autofocus
          value={typed}
          placeholder={t('search')}
          aria-label={t('search')}
          role="combobox"
          aria-expanded
          aria-controls={list}
          aria-activedescendant={items[here] ? `${list}-${here}` : undefined}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            setAt(0);
          }}
          onKeyDown={(event) => {
            if (event.nativeEvent.isComposing) return;
            if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
              event.preventDefault();
              const step = event.key === 'ArrowDown' ? 1 : -1;
              setAt((here + step + items.length) % Math.max(1, items.length));
            } else if (event.key === 'Enter') {
              event.preventDefault();
              items[here]?.run();
            }
          }}
        />
      </div>
      <ul className={css.paletteList} id={list} role="listbox" aria-label={t('search')} ref={box}>
        {items.map((item, index) => (
          <li key={item.id} role="presentation">
            {items[index - 1]?.group !== item.group && (
              <p className={css.paletteGroup} aria-hidden>
                {t(`palette.${item.group}`)}
              </p>
            )}
            <div
              id={`${list}-${index}`}
              role="option"
              aria-selected={index === here}
              className={css.paletteItem}
              onMouseMove={() => setAt(index)}
              onClick={item.run}
            >
              <span>{item.text}</span>
              {item.detail && <span className={css.paletteDetail}>{item.detail}</span>}
            </div>
          </li>
        ))}
      </ul>
      {items.length === 0 && <p className={css.paletteHint}>{found.isFetching ? t('searching') : t('nothing_found')}</p>}
      <p className={css.paletteHint}>{t('palette.hint')}</p>
    </div>
  );
}
