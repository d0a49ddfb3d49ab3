import { api } from '../../api/client';
import { Page } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Loaded } from '../../shared/States';
import { LineCards } from './LineCards';
import { useBankTexts } from './texts';

export default function BankLines() {
  const t = useBankTexts();
  const read = useRead(['facilities'], (signal) => api.GET('/v1/facilities', { signal, params: { query: { limit: 100 } } }), { every: 20_000 });
  return (
    <Page title={t('lines')} lead={t('lines.lead')}>
      <Loaded read={read}>{({ data }) => <LineCards lines={data} />}</Loaded>
    </Page>
  );
}
