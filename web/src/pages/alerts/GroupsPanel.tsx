// Groups: alerts with one cause, sent together. At most ten members are named.
import type { JSX } from 'preact';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import { alertEdition, deliveryEdition } from '../../board/live';
import type { Group, Groups } from '../../contract';
import { asOf, hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { Answer } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { Severity } from '../../ui/Severity';
import { Since } from '../../ui/Time';
import { causesOf } from './causes';

const NAMED = 10;

export function GroupsPanel(): JSX.Element | null {
  const groups = useResource<Groups>(withQuery('/api/v1/groups', { as_of: asOf.value }), { on: `${alertEdition.value} ${deliveryEdition.value}` });
  if (groups.data !== null && groups.data.items.length === 0) return null;
  return (
    <Panel title="Groups" aside={<span>alerts with one cause, sent together</span>}>
      <Answer of={groups} lines={2}>
        {(data) => (
          <ul class="alerts">
            {causesOf(data.items).map(([group, receivers]) => (
              <GroupItem key={group.message} group={group} receivers={receivers} />
            ))}
          </ul>
        )}
      </Answer>
    </Panel>
  );
}

function GroupItem({ group, receivers }: { group: Group; receivers: number }): JSX.Element {
  const { notice } = group;
  const open = notice.phase === 'firing';
  // A member leads to its market as it stood when the group was told.
  const moment = group.known_at.replace(/\.\d+Z$/, 'Z');
  const hidden = notice.more_members + Math.max(0, notice.members.length - NAMED);
  return (
    <li class="alert">
      <p class="alert-head">
        <Severity of={notice.severity} />
        <b>{notice.title}</b>
        <span class="muted num alert-time">
          {open ? 'open for ' : 'began '}
          <Since at={notice.opened_at} />
          {open ? '' : ' ago'}
          {receivers > 1 && ` · sent to ${receivers} receivers`}
        </span>
      </p>
      <p class="group-text">{notice.text}</p>
      <p class="members">
        {notice.members.slice(0, NAMED).map((member) => (
          <a key={member.alert_id} href={hrefTo(marketPath(member.instrument), { as_of: moment })} title={`${member.title}, ${member.phase.replace('_', ' ')}: the market at that moment`} class={member.phase === 'resolved' ? 'resolved' : ''}>
            {member.instrument.split(':')[1] ?? member.instrument} <span class="muted small">{member.phase === 'firing' ? member.severity : member.phase.replace('_', ' ')}</span>
          </a>
        ))}
        {hidden > 0 && <span class="muted">and {hidden} more</span>}
      </p>
    </li>
  );
}
