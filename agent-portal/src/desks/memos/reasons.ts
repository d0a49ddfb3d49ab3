import { useCallback } from 'react';
import { api, type Schemas } from '../../api/client';
import { useLanguage } from '../../i18n';
import { useRead } from '../../shared/read';

/** The reasons that the trade knows, in the reader's language. */
export function useReasons() {
  const language = useLanguage();
  const read = useRead(['memo_reasons'], (signal) => api.GET('/v1/memo_reasons', { signal }), { fresh: 600_000 });
  const all = read.data?.data;
  const name = useCallback(
    (code: string) => {
      const found = all?.find((one) => one.code === code);
      return found ? (language === 'zh-CN' ? found.name_zh : found.name) : code;
    },
    [all, language],
  );
  const options = (of: Schemas['MemoReasonOf']) => (all ?? []).filter((one) => one.of === of).map((one) => ({ value: one.code, label: language === 'zh-CN' ? one.name_zh : one.name }));
  return { name, options };
}
