import { useQueryClient } from '@tanstack/react-query';
import { useSession } from '../session/session';
import { SignInForm } from '../session/SignIn';

export default function SignInAgain() {
  const { user } = useSession();
  const queries = useQueryClient();
  return <SignInForm email={user.email} onDone={() => void queries.invalidateQueries()} />;
}
