import { Button, Checkbox, FileButton, Select, Textarea, TextInput } from '@mantine/core';
import { IconPaperclip } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, answered, api, type Schemas } from '../../../api/client';
import { asProblem, type Problem } from '../../../api/problem';
import { useAgency } from '../../../session/office';
import { typedAmount } from '../../../shared/amount';
import { attach } from '../../../shared/attachments';
import { Money } from '../../../shared/Money';
import { MoneyConfirm } from '../../../shared/MoneyConfirm';
import { useMoneyWrite } from '../../../shared/money-write';
import { Countdown, Moment } from '../../../shared/Moment';
import { useNames } from '../../../shared/names';
import { Actions, Facts, Name, Panel, Quiet } from '../../../shared/Page';
import { useRead } from '../../../shared/read';
import { Failed } from '../../../shared/States';
import css from '../agency.module.css';
import { useAgencyTexts } from '../texts';
import { RefundParts } from './RefundParts';
import { Done, Wizard } from './Wizard';

type Application = Schemas['RefundApplication'];
type Kind = Schemas['RefundKind'];
const kinds: Kind[] = ['voluntary', 'involuntary', 'medical', 'tax_only', 'supplementary'];
/** A person of the operator decides about these. */
const decided: Kind[] = ['involuntary', 'medical', 'supplementary'];

export default function Refund() {
  const t = useAgencyTexts();
  return <Wizard title={t('refund.title')}>{(order) => <Steps order={order} />}</Wizard>;
}

function Steps({ order }: { order: Schemas['Order'] }) {
  const [quote, setQuote] = useState<Application | null>(null);
  return quote ? <Confirm order={order} quote={quote} again={() => setQuote(null)} /> : <Ask order={order} onQuote={setQuote} />;
}

function Ask({ order, onQuote }: { order: Schemas['Order']; onQuote: (quote: Application) => void }) {
  const t = useAgencyTexts();
  const names = useNames();
  const [kind, setKind] = useState<Kind>('voluntary');
  const [reason, setReason] = useState('');
  const [amount, setAmount] = useState('');
  const [files, setFiles] = useState<Schemas['Attachment'][]>([]);
  const [uploading, setUploading] = useState<Problem | null>(null);
  const [chosen, setChosen] = useState<ReadonlyMap<string, ReadonlySet<number>> | null>(null);
  const tickets = useRead(['tickets', 'of', order.id], (signal) =>
    api.GET('/v1/tickets', { signal, params: { query: { order_id: order.id } } }),
  );
  const numbers = tickets.data?.data.map((ticket) => ticket.number) ?? [];

  const quote = useMutation<Application, Problem, void>({
    mutationFn: async () => {
      const some = [...(chosen ?? new Map<string, ReadonlySet<number>>())].filter(([, coupons]) => coupons.size > 0);
      const body: Schemas['CreateRefundApplication'] = {
        kind,
        tickets: some.length
          ? some.map(([number, coupons]) => ({ number, coupons: [...coupons].sort() }))
          : numbers.map((number) => ({ number })),
        ...(reason.trim() ? { reason: reason.trim() } : {}),
        ...(files.length ? { attachment_ids: files.map((file) => file.id) } : {}),
        ...(kind === 'supplementary' ? { amount: typedAmount(amount) ?? amount, currency: order.total_currency } : {}),
      };
      const made = await answer(api.POST('/v1/refund_applications', { body: { data: body } }));
      return (made as Schemas['Data_RefundApplication']).data;
    },
    onSuccess: onQuote,
  });

  return (
    <Panel title={t('refund.what')}>
      <form
        className={css.formGrid}
        onSubmit={(event) => {
          event.preventDefault();
          quote.mutate();
        }}
      >
        <Select
          label={t('refund.kind')}
          data={kinds.map((value) => ({ value, label: names('refund_kind', value) }))}
          value={kind}
          onChange={(value) => setKind(value as Kind)}
          allowDeselect={false}
          description={decided.includes(kind) ? t('refund.decided_by_person') : t('refund.at_once')}
        />
        <fieldset className={css.coupons}>
          <legend>{t('refund.which')}</legend>
          {numbers.length === 0 && <Quiet>{t('orders.none')}</Quiet>}
          {numbers.map((number) => (
            <TicketChoice key={number} number={number} chosen={chosen?.get(number)} onChange={(coupons) => setChosen(new Map([...(chosen ?? []), [number, coupons]]))} />
          ))}
          <p className={css.small}>{t('refund.all_unless_chosen')}</p>
        </fieldset>
        {kind === 'supplementary' && <TextInput label={t('refund.amount', { currency: order.total_currency })} value={amount} onChange={(event) => setAmount(event.currentTarget.value)} inputMode="decimal" />}
        {decided.includes(kind) && (
          <>
            <Textarea label={t('refund.reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} autosize minRows={2} />
            <div>
              <FileButton
                accept="application/pdf,image/jpeg,image/png"
                onChange={(file) => {
                  if (!file) return;
                  setUploading(null);
                  attach(file).then(
                    (kept) => setFiles((before) => [...before, kept]),
                    (error: unknown) => setUploading(asProblem(error)),
                  );
                }}
              >
                {(props) => (
                  <Button {...props} size="xs" variant="default" leftSection={<IconPaperclip size={14} />}>
                    {t('refund.attach')}
                  </Button>
                )}
              </FileButton>
              {files.map((file) => (
                <div key={file.id} className={css.small}>
                  {file.file_name}
                </div>
              ))}
              {uploading && <Failed problem={uploading} />}
            </div>
          </>
        )}
        {quote.error && <Failed problem={quote.error} write />}
        <Actions>
          <Button type="submit" loading={quote.isPending}>
            {t('refund.get_quote')}
          </Button>
        </Actions>
      </form>
    </Panel>
  );
}

function TicketChoice({ number, chosen, onChange }: { number: string; chosen?: ReadonlySet<number>; onChange: (coupons: ReadonlySet<number>) => void }) {
  const names = useNames();
  const read = useRead(['tickets', number], (signal) => api.GET('/v1/tickets/{number}', { signal, params: { path: { number } } }));
  return (
    <div className={css.ticketChoice}>
      <b>{number}</b>
      {read.data?.data.coupons.map((coupon) => (
        <Checkbox
          key={coupon.number}
          size="xs"
          label={`${coupon.number} ${coupon.flight} ${coupon.origin}–${coupon.destination} ${coupon.departing_at.slice(0, 10)} · ${names('coupon', coupon.status)}`}
          disabled={coupon.status !== 'O'}
          checked={chosen?.has(coupon.number) ?? false}
          onChange={(event) => {
            const next = new Set(chosen);
            if (event.currentTarget.checked) next.add(coupon.number);
            else next.delete(coupon.number);
            onChange(next);
          }}
        />
      ))}
    </div>
  );
}

function Confirm({ order, quote, again }: { order: Schemas['Order']; quote: Application; again: () => void }) {
  const t = useAgencyTexts();
  const names = useNames();
  const queries = useQueryClient();
  const { agency } = useAgency();
  const total = { amount: quote.refund_amount, currency: quote.currency };
  const write = useMoneyWrite<Schemas['Data_RefundApplication'], Schemas['ConfirmRefund']>({
    purpose: `refund:${quote.id}`,
    send: (data, key) =>
      answered(
        api.POST('/v1/refund_applications/{id}/actions/confirm', {
          params: { path: { id: quote.id } },
          headers: { 'Idempotency-Key': key },
          body: { data },
        }) as Promise<{ data?: Schemas['Data_RefundApplication']; error?: unknown; response: Response }>,
      ),
    onDone: () => void queries.invalidateQueries(),
  });
  return (
    <>
      {write.phase.at !== 'done' && (
        <Panel
          title={`${t('refund.quote')} · ${names('refund_kind', quote.kind)}`}
          aside={
            <>
              {t('cancel.valid_for')} <Countdown until={quote.expires_at} />
            </>
          }
        >
          <Facts
            columns={2}
            facts={[
              [t('refund.fare'), <Money key="f" amount={quote.fare_amount} currency={quote.currency} />],
              [t('refund.penalty'), <Money key="p" amount={quote.penalty_amount} currency={quote.currency} />],
              [t('refund.taxes'), <Money key="x" amount={quote.tax_amount} currency={quote.currency} />],
              [t('refund.back'), <Money key="r" {...total} strong />],
            ]}
          />
          <RefundParts application={quote} />
        </Panel>
      )}
      <MoneyConfirm
        write={write}
        body={() => ({ expected_amount: total.amount, expected_currency: total.currency })}
        what={decided.includes(quote.kind) ? t('refund.submit_what') : t('refund.confirm_what')}
        total={total}
        payee={
          <>
            <Name>{agency?.name ?? ''}</Name> · {names('refunded_to', quote.refunded_to)}
          </>
        }
        source={<Name>{order.owner.name}</Name>}
        submitLabel={decided.includes(quote.kind) ? t('refund.submit') : t('refund.confirm')}
        onCancel={again}
        cure={() => (
          <Button size="xs" variant="default" onClick={again}>
            {t('refund.quote_again')}
          </Button>
        )}
        done={(result, replayed) => (
          <Done title={names('refund_status', result.data.status)} text={replayed ? t('sold.replayed') : undefined} orderId={order.id}>
            <Facts
              facts={[
                [t('refund.back'), <Money key="r" amount={result.data.refund_amount} currency={result.data.currency} strong />],
                result.data.due_at && result.data.status !== 'refunded' ? [t('refund.due'), <Moment key="d" at={result.data.due_at} />] : null,
                result.data.awaiting ? [t('refund.awaits'), result.data.awaiting.reason] : null,
              ]}
            />
          </Done>
        )}
      />
    </>
  );
}
