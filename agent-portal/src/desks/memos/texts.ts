import { texts } from '../../i18n';
import type en from './texts.en.json';

export const useMemoTexts = texts<typeof en>('desks/memos');
