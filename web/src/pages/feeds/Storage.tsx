// What is written down, and what waits to be.
import type { JSX } from 'preact';
import type { FeedsPulse } from '../../contract';
import { bytes, compact, count, plain } from '../../format/number';
import { Bar } from '../../ui/Bar';
import { Panel } from '../../ui/Panel';

interface Props {
  queues: FeedsPulse['queues'];
  journal: FeedsPulse['journal'];
  storage: FeedsPulse['storage'] | null;
}

export function Storage({ queues, journal, storage }: Props): JSX.Element | null {
  const database = storage?.database_bytes ?? null;
  const lake = storage?.lake_bytes ?? null;
  if (journal === null && queues.length === 0 && database === null && lake === null) return null;
  return (
    <Panel title="Storage and queues">
      <dl class="facts num">
        {database !== null && (
          <>
            <dt>Database</dt>
            <dd data-testid="database-bytes">{bytes(database)}</dd>
          </>
        )}
        {lake !== null && (
          <>
            <dt>Lake</dt>
            <dd data-testid="lake-bytes">
              {bytes(lake)} <span class="muted">of raw messages</span>
            </dd>
          </>
        )}
        {journal !== null && (
          <>
            <dt>Journal</dt>
            <dd>
              {bytes(journal.bytes_written)} written of {bytes(journal.bytes_raw)} received
              {journal.bytes_written > 0 && <span class="muted">, {(journal.bytes_raw / journal.bytes_written).toFixed(1)} to 1</span>}; {count(journal.files_open, 'file')} open, {plain(journal.queue, 9)} waiting
            </dd>
          </>
        )}
      </dl>
      {queues.length > 0 && (
        <table class="compact">
          <tbody>
            {queues.map((queue) => (
              <tr key={queue.name}>
                <th scope="row">queue {queue.name}</th>
                <td class="half">
                  <Bar value={queue.depth_max === 0 ? 0 : queue.depth / queue.depth_max} name={`queue ${queue.name}`} />
                </td>
                <td class="num muted">
                  {compact(queue.depth)} of {compact(queue.depth_max)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
