import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schemas } from '../../../api/client';
import { ToButton } from '../../../shared/Link';
import { Columns, Facts, Name, Page, Panel, Stack } from '../../../shared/Page';
import { Money } from '../../../shared/Money';
import { Loaded } from '../../../shared/States';
import css from '../agency.module.css';
import { Itinerary } from '../sell/Itinerary';
import { useAgencyTexts } from '../texts';
import { useOrder } from './OrderPage';

/** A wizard about one order: what is done on the left, what it is about on the right. */
export function Wizard({ title, children }: { title: string; children: (order: Schemas['Order']) => ReactNode }) {
  const { orderId } = useParams({ strict: false }) as { orderId: string };
  const t = useAgencyTexts();
  const read = useOrder(orderId);
  return (
    <Page
      title={title}
      lead={read.data && `${t('order')} ${read.data.data.booking_reference} · ${read.data.data.owner.name}`}
      actions={
        <ToButton to={`/orders/${orderId}`} size="xs" variant="default">
          {t('order.back')}
        </ToButton>
      }
    >
      <Loaded read={read}>
        {({ data }) => (
          <Columns wide="left">
            <Stack>{children(data)}</Stack>
            <Stack>
              <Panel title={t('order.passengers')}>
                <ul className={css.plainList}>
                  {data.passengers.map((one) => (
                    <li key={one.id}>
                      <Name>
                        {one.family_name}/{one.given_name}
                      </Name>
                    </li>
                  ))}
                </ul>
              </Panel>
              <Panel title={t('order.itinerary')}>
                <Itinerary slices={data.slices} />
              </Panel>
              <Panel title={t('order.money')}>
                <Facts facts={[[t('price.total'), <Money key="s" amount={data.total_amount} currency={data.total_currency} strong />]]} />
              </Panel>
            </Stack>
          </Columns>
        )}
      </Loaded>
    </Page>
  );
}

export function Done({ title, text, orderId, children }: { title: string; text?: string; orderId: string; children?: ReactNode }) {
  const t = useAgencyTexts();
  return (
    <section className={css.sold} role="status" data-done>
      <h2>{title}</h2>
      {text && <p>{text}</p>}
      {children}
      <div className={css.row}>
        <ToButton to={`/orders/${orderId}`}>{t('book.open_order')}</ToButton>
      </div>
    </section>
  );
}
