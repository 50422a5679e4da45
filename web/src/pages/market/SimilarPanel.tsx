// How often what followed moments like this one: the calls of the ledger, and the past hours that were most alike.
import type { JSX } from 'preact';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { Resource } from '../../api/resource';
import type { Similar, Snapshot } from '../../api/types';
import { said } from '../../format/labels';
import { percent } from '../../format/number';
import { asOfEvery } from '../../state/play';
import { Answer } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { Time } from '../../ui/Time';
import { callRows } from './calls';
import { marketAddress } from '../../api/market';

export function SimilarPanel({ instrument, of }: { instrument: string; of: Resource<Snapshot> }): JSX.Element {
  // Hours are compared, so the question is asked again once an hour.
  const hour = (of.data?.timestamp ?? '').slice(0, 13);
  const similar = useResource<Similar>(withQuery(marketAddress(instrument, 'similar'), { as_of: asOfEvery(3_600_000) }), { on: hour });
  return (
    <Panel title="Similar moments" class="similar">
      <Answer of={of} lines={4}>
        {(snapshot) => <Calls snapshot={snapshot} />}
      </Answer>
      <Answer of={similar} lines={4}>
        {(found) => <Hours found={found} />}
      </Answer>
    </Panel>
  );
}

function Calls({ snapshot }: { snapshot: Snapshot }): JSX.Element {
  if (snapshot.calls === null) return <p class="muted">No forecast was registered in the ten minutes before this one.</p>;
  return (
    <table class="stacked">
      <caption class="muted">
        how often it followed this label with readings about as far from it, as of <Time at={snapshot.calls.ts} />
      </caption>
      <thead>
        <tr>
          <th scope="col">what</th>
          <th scope="col" class="num">
            after similar
          </th>
          <th scope="col" class="num">
            90 % interval
          </th>
          <th scope="col" class="num">
            after all
          </th>
        </tr>
      </thead>
      <tbody>
        {callRows(snapshot.calls.events).map((row) => (
          <tr key={row.event}>
            <th scope="row" title={row.whether}>
              {row.name}
            </th>
            {row.why === null ? (
              <>
                <td class="num" data-name="after similar">{row.chance}</td>
                <td class="num" data-name="90 % interval">{row.interval}</td>
              </>
            ) : (
              <td class="muted" colSpan={2}>
                {row.why}
              </td>
            )}
            <td class="num" data-name="after all">{row.usual}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Hours({ found }: { found: Similar }): JSX.Element {
  return (
    <>
      <p>{found.sentence}</p>
      {found.episodes.length > 0 && (
        <table class="stacked">
          <caption class="muted">the most similar hours, a day apart at least</caption>
          <thead>
            <tr>
              <th scope="col">when</th>
              <th scope="col" class="num">
                price 4 h on
              </th>
              <th scope="col" class="num">
                24 h on
              </th>
              <th scope="col">label 4 h on</th>
            </tr>
          </thead>
          <tbody>
            {found.episodes.map((e) => (
              <tr key={e.ts}>
                <th scope="row">
                  <Time at={e.ts} />
                </th>
                <td class="num" data-name="price 4 h on">{percent(e.move_4h, 1, true)}</td>
                <td class="num" data-name="24 h on">{percent(e.move_24h, 1, true)}</td>
                <td data-name="label 4 h on" title={e.raw_label_4h_after ?? undefined}>{e.raw_label_4h_after === null ? '–' : said('risk', e.raw_label_4h_after)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
