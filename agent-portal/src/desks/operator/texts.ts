import { texts } from '../../i18n';
import type en from './texts.en.json';

export const useOperatorTexts = texts<typeof en>('desks/operator');
