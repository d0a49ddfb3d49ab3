import { Popover, UnstyledButton } from '@mantine/core';
import { IconSnowflake } from '@tabler/icons-react';
import { useState } from 'react';
import { useAgency } from '../../session/office';
import { grouped, share } from '../../shared/amount';
import { To } from '../../shared/Link';
import { Money } from '../../shared/Money';
import { Facts } from '../../shared/Page';
import css from './agency.module.css';
import { bandOf, useLimit } from './limits';
import { useAgencyTexts } from './texts';

/** Used, available and frozen, on every screen; a click shows where it comes from. */
export default function LimitMeter() {
  const t = useAgencyTexts();
  const { agency } = useAgency();
  const limit = useLimit(20_000).data?.data;
  const [open, setOpen] = useState(false);
  if (!limit || !agency) return null;
  const band = bandOf(limit.percent_used);
  const percent = share(limit.exposure_amount, limit.limit_amount);
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" width={320} shadow="md" trapFocus>
      <Popover.Target>
        <UnstyledButton
          className={css.meter}
          data-band={band}
          onClick={() => setOpen(!open)}
          aria-expanded={open}
          aria-label={`${agency.status === 'frozen' ? t('meter.frozen') : t('meter.available')} ${grouped(limit.available_amount)}. ${t('meter.label', { percent: limit.percent_used ?? '0' })}`}
        >
          <span className={css.meterText}>
            {agency.status === 'frozen' && <IconSnowflake size={14} aria-hidden />}
            <span className={css.meterName}>{agency.status === 'frozen' ? t('meter.frozen') : t('meter.available')}</span>{' '}
            <b>{grouped(limit.available_amount)}</b>
          </span>
          <svg className={css.meterBar} viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden>
            <rect width="100" height="4" className={css.meterGround} />
            <rect width={percent} height="4" className={css.meterUsed} />
            {limit.bands.map((one) => (
              <rect key={one.percent} x={Math.min(99.2, one.percent)} width="0.8" height="4" className={css.meterMark} />
            ))}
          </svg>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Facts
          facts={[
            [t('limit.limit'), <Money key="l" amount={limit.limit_amount} currency={limit.currency} />],
            [t('limit.used'), <Money key="u" amount={limit.exposure_amount} currency={limit.currency} />],
            [t('limit.available'), <Money key="a" amount={limit.available_amount} currency={limit.currency} strong />],
            [t('limit.wallet'), <Money key="w" amount={limit.wallet_amount} currency={limit.currency} />],
            [t('limit.bands'), limit.bands.map((one) => `${one.percent} %${one.reached ? ' ●' : ' ○'}`).join('  ')],
          ]}
        />
        <p className={css.meterLinks}>
          <To to="/limit" onClick={() => setOpen(false)}>
            {t('meter.why')}
          </To>
          <To to="/wallet" onClick={() => setOpen(false)}>
            {t('meter.ledger')}
          </To>
        </p>
      </Popover.Dropdown>
    </Popover>
  );
}
