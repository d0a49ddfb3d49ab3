import { Anchor, Button, type AnchorProps, type ButtonProps } from '@mantine/core';
import { createLink, useNavigate } from '@tanstack/react-router';
import { forwardRef, useCallback, type AnchorHTMLAttributes, type ReactNode } from 'react';
import { parseSearch } from './url';

type Plain<P> = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof P> & P;
const RouterAnchor = createLink(
  forwardRef<HTMLAnchorElement, Plain<AnchorProps>>((props, ref) => <Anchor ref={ref} {...props} />),
);
const RouterButton = createLink(
  forwardRef<HTMLAnchorElement, Plain<ButtonProps>>((props, ref) => <Button component="a" ref={ref} {...props} />),
);

const parts = (to: string) => {
  const [path = '', query = ''] = to.split('?');
  return { to: path, search: parseSearch(query) as never };
};

/** A link to a path of the portal, which may carry a query. */
export function To({ to, children, ...rest }: { to: string; children: ReactNode; onClick?: () => void } & AnchorProps) {
  return (
    <RouterAnchor inherit {...parts(to)} {...rest}>
      {children}
    </RouterAnchor>
  );
}

export function ToButton({ to, children, ...rest }: { to: string; children: ReactNode } & ButtonProps) {
  return (
    <RouterButton {...parts(to)} {...rest}>
      {children}
    </RouterButton>
  );
}

export function useGo(): (to: string, how?: { replace?: boolean }) => void {
  const navigate = useNavigate();
  return useCallback((to, how) => void navigate({ ...parts(to), replace: how?.replace }), [navigate]);
}
