import { ActionIcon, Button, Checkbox, Menu, Tooltip } from '@mantine/core';
import { IconColumns3, IconDownload } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { columnVisibilityFeature, tableFeatures, useTable, type ColumnDef } from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { answer, saveAs } from '../api/client';
import { asProblem, type Problem } from '../api/problem';
import { useLive } from '../session/live';
import { keep, kept, usePreferences } from '../session/preferences';
import { BulkBar, type Bulk } from './Bulk';
import { csv } from './csv';
import { useZone } from './Moment';
import { moment } from './clock';
import css from './table.module.css';
import { Empty, Failed, Loading, Stale, Waiting } from './States';
import { useShared } from './texts';
import { Views } from './Views';

export interface Column<Row> {
  id: string;
  header: string;
  cell: (row: Row) => ReactNode;
  /** The same for a file, in the zone that is shown. */
  text: (row: Row, zone: string) => string;
  width?: number;
  align?: 'end';
  /** Not shown until somebody asks for it. */
  extra?: boolean;
  /** On a narrow screen a row is a card: its heading, or a line of it. */
  heading?: boolean;
}

export interface PageOf<Row> {
  data: Row[];
  meta: { after?: string | null };
}
type Called<T> = Promise<{ data?: T; error?: unknown; response: Response }>;

interface TableProps<Row> {
  /** Names the table for what is kept about it, and its file. */
  id: string;
  label: string;
  queryKey: readonly unknown[];
  read: (page: { after?: string; limit: number }, signal?: AbortSignal) => Called<PageOf<Row>>;
  rowId: (row: Row) => string;
  columns: readonly Column<Row>[];
  filters?: ReactNode;
  empty: string;
  emptyHelp?: ReactNode;
  /** Newest first: new rows are announced, never pushed in. */
  live?: boolean;
  bulk?: Bulk<Row>;
}

const features = tableFeatures({ columnVisibilityFeature });
const pageSize = 100;

/** Said when rows came in, without moving what somebody looks at. */
function useArrivals<Row>(props: TableProps<Row>, firstId: string | undefined, mode: string): number {
  const live = useLive();
  const newest = useQuery({
    queryKey: [mode, ...props.queryKey, 'arrivals'],
    queryFn: ({ signal }) => answer(props.read({ limit: 50 }, signal)),
    enabled: props.live === true && firstId !== undefined,
    // Where the stream of events is open, it says when to look.
    refetchInterval: live.state === 'open' ? 60_000 : 15_000,
    staleTime: 14_000,
  });
  if (!newest.data || firstId === undefined) return 0;
  const place = newest.data.data.findIndex((row) => props.rowId(row) === firstId);
  return place < 0 ? newest.data.data.length : place;
}

export function DataTable<Row>(props: TableProps<Row>) {
  const t = useShared();
  const { mode, density } = usePreferences();
  const zone = useZone();
  const scroller = useRef<HTMLDivElement>(null);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const pages = useInfiniteQuery({
    queryKey: [mode, ...props.queryKey],
    queryFn: ({ pageParam, signal }) => answer(props.read({ after: pageParam, limit: pageSize }, signal)),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: PageOf<Row>) => last.meta.after ?? undefined,
    staleTime: 10_000,
    placeholderData: keepPreviousData,
  });
  const rows = useMemo(() => pages.data?.pages.flatMap((page) => page.data) ?? [], [pages.data]);
  const arrivals = useArrivals(props, rows[0] && props.rowId(rows[0]), mode);

  const visibilityName = `columns.${props.id}`;
  const [columnVisibility, setColumnVisibility] = useState<Record<string, boolean>>(() => {
    const usual = Object.fromEntries(props.columns.filter((column) => column.extra).map((column) => [column.id, false]));
    try {
      return { ...usual, ...(JSON.parse(kept(visibilityName) ?? '{}') as Record<string, boolean>) };
    } catch {
      return usual;
    }
  });
  const columns = useMemo(
    () =>
      props.columns.map((column): ColumnDef<typeof features, { row: Row }> => ({
        id: column.id,
        header: column.header,
        cell: ({ row }) => column.cell(row.original.row),
      })),
    [props.columns],
  );
  const data = useMemo(() => rows.map((row) => ({ row })), [rows]);
  const table = useTable({ features, columns, data, state: { columnVisibility }, onColumnVisibilityChange: setColumnVisibility });
  const byId = new Map(props.columns.map((column) => [column.id, column]));
  const shown = table.getVisibleLeafColumns().flatMap((column) => byId.get(column.id) ?? []);

  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => (density === 'compact' ? 30 : 38),
    overscan: 16,
    getItemKey: (index) => (rows[index] ? props.rowId(rows[index]) : index),
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && last >= rows.length - 30) void fetchNextPage();
  }, [last, rows.length, hasNextPage, isFetchingNextPage, fetchNextPage]);

  const toggle = (id: string) =>
    setColumnVisibility((before) => {
      const after = { ...before, [id]: before[id] === false };
      keep(visibilityName, JSON.stringify(after));
      return after;
    });
  const problem: Problem | null = pages.error ? asProblem(pages.error) : null;
  const before = items[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const template = [props.bulk ? '34px' : '', ...shown.map((column) => `minmax(${column.width ?? 120}px, ${column.width ?? 120}fr)`)].join(' ');
  const width = shown.reduce((sum, column) => sum + (column.width ?? 120) + 16, props.bulk ? 34 : 0);

  const body = () => {
    if (pages.isPending) return <Loading rows={8} />;
    if (problem && rows.length === 0) return <Failed problem={problem} retry={() => void pages.refetch()} />;
    if (rows.length === 0) return <Empty title={props.empty}>{props.emptyHelp}</Empty>;
    return (
      <div className={css.scroller} ref={scroller} tabIndex={0} role="region" aria-label={props.label}>
        <table className={css.table} aria-rowcount={hasNextPage ? -1 : rows.length + 1} aria-label={props.label} style={{ minWidth: width }}>
          <thead className={css.head}>
            <tr style={{ gridTemplateColumns: template }}>
              {props.bulk && (
                <th>
                  <Checkbox
                    size="xs"
                    aria-label={t('table.choose_all')}
                    checked={chosen.size > 0 && chosen.size === rows.length}
                    indeterminate={chosen.size > 0 && chosen.size < rows.length}
                    onChange={() => setChosen(chosen.size ? new Set() : new Set(rows.map(props.rowId)))}
                  />
                </th>
              )}
              {shown.map((column) => (
                <th key={column.id} data-align={column.align}>
                  {column.header}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {before > 0 && <tr aria-hidden className={css.gap} style={{ height: before }} />}
            {items.map((item) => {
              const row = rows[item.index];
              if (row === undefined) return null;
              const id = props.rowId(row);
              return (
                <tr
                  key={item.key}
                  data-index={item.index}
                  ref={virtual.measureElement}
                  aria-rowindex={item.index + 2}
                  style={{ gridTemplateColumns: template }}
                  data-chosen={chosen.has(id) || undefined}
                >
                  {props.bulk && (
                    <td>
                      <Checkbox
                        size="xs"
                        aria-label={t('table.choose')}
                        checked={chosen.has(id)}
                        onChange={() => {
                          const next = new Set(chosen);
                          if (!next.delete(id)) next.add(id);
                          setChosen(next);
                        }}
                      />
                    </td>
                  )}
                  {shown.map((column) => (
                    <td key={column.id} data-align={column.align} data-label={column.header} data-heading={column.heading || undefined}>
                      {column.cell(row)}
                    </td>
                  ))}
                </tr>
              );
            })}
            {after > 0 && <tr aria-hidden className={css.gap} style={{ height: after }} />}
          </tbody>
        </table>
      </div>
    );
  };

  return (
    <div className={css.frame}>
      <div className={css.bar}>
        <div className={css.filters}>{props.filters}</div>
        <div className={css.tools}>
          <Views id={props.id} />
          <Menu closeOnItemClick={false} position="bottom-end">
            <Menu.Target>
              <Tooltip label={t('table.columns')}>
                <ActionIcon variant="default" size="md" aria-label={t('table.columns')}>
                  <IconColumns3 size={16} />
                </ActionIcon>
              </Tooltip>
            </Menu.Target>
            <Menu.Dropdown>
              {props.columns.map((column) => (
                <Menu.Item key={column.id} onClick={() => toggle(column.id)} role="menuitemcheckbox" aria-checked={columnVisibility[column.id] !== false}>
                  <Checkbox size="xs" tabIndex={-1} readOnly checked={columnVisibility[column.id] !== false} label={column.header} aria-hidden />
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
          <Export {...props} shown={shown} zone={zone} disabled={rows.length === 0} />
        </div>
      </div>
      {arrivals > 0 && (
        <Button className={css.arrivals} size="compact-sm" variant="light" onClick={() => void pages.refetch()}>
          {t('table.arrivals', { count: arrivals })}
        </Button>
      )}
      {problem && rows.length > 0 && <Stale problem={problem} at={pages.dataUpdatedAt} retry={() => void pages.refetch()} />}
      {body()}
      <div className={css.foot}>
        {isFetchingNextPage ? (
          <Waiting>{t('state.loading')}</Waiting>
        ) : (
          <span>
            {hasNextPage ? t('table.loaded', { count: rows.length }) : t('table.all', { count: rows.length })}
            {pages.dataUpdatedAt > 0 && ` · ${t('table.as_of')} ${moment(new Date(pages.dataUpdatedAt).toISOString(), zone, true)}`}
          </span>
        )}
      </div>
      {props.bulk && chosen.size > 0 && (
        <BulkBar bulk={props.bulk} rows={rows.filter((row) => chosen.has(props.rowId(row)))} rowId={props.rowId} clear={() => setChosen(new Set())} />
      )}
    </div>
  );
}

/** A file of exactly what is filtered, in the columns and the zone that are shown: page by page to its end. */
function Export<Row>(props: TableProps<Row> & { shown: Column<Row>[]; zone: string; disabled: boolean }) {
  const t = useShared();
  const [count, setCount] = useState<number | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const { read, shown, zone, id } = props;
  const run = useCallback(async () => {
    setProblem(null);
    const lines: string[][] = [];
    let after: string | undefined;
    try {
      do {
        const page: PageOf<Row> = await answer(read({ after, limit: 200 }));
        lines.push(...page.data.map((row) => shown.map((column) => column.text(row, zone))));
        setCount(lines.length);
        after = page.meta.after ?? undefined;
      } while (after);
      const text = csv(shown.map((column) => column.header), lines);
      saveAs(new Blob(['\ufeff', text], { type: 'text/csv;charset=utf-8' }), `${id}-${moment(new Date().toISOString(), zone).replace(/[ :]/g, '_')}.csv`);
    } catch (error) {
      setProblem(asProblem(error));
    }
    setCount(null);
  }, [read, shown, zone, id]);
  return (
    <>
      <Button variant="default" size="xs" leftSection={<IconDownload size={14} />} onClick={() => void run()} loading={count !== null} disabled={props.disabled}>
        {count === null ? t('table.export') : t('table.exporting', { count })}
      </Button>
      {problem && <Failed problem={problem} retry={() => void run()} />}
    </>
  );
}
