import { Link, useRouteError } from 'react-router';
import { Button } from '../components/button.js';
import { Failed, Loading, Page } from '../components/page.js';

export function NotFound() {
  return (
    <Page title="No such page" about="Nothing has this address.">
      <p>
        <Link to="/">Go to the overview</Link>
      </p>
    </Page>
  );
}

/** A page that broke, or whose code could not be fetched (a new version was installed meanwhile). */
export function RouteFailed() {
  const error = useRouteError();
  return (
    <Page title="This page failed" about="The rest of Ottopilot still works.">
      <Failed
        error={error instanceof Error ? error : new Error(String(error))}
        what="The page could not be shown."
      />
      <div>
        <Button onClick={() => location.reload()}>Load it again</Button>
      </div>
    </Page>
  );
}

/** Until the code of the first page has arrived. */
export function Waiting() {
  return (
    <div className="gate">
      <Loading rows={3} />
    </div>
  );
}
