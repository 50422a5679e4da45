// Names for the shapes that the server describes in openapi.json (schema.d.ts is made from it by `npm run types`).
import type { components } from './schema';

type Schemas = components['schemas'];

export type Snapshot = Schemas['Snapshot'];
export type RuleTrace = Schemas['RuleTrace'];
export type ClauseTrace = Schemas['ClauseTrace'];
export type FeatureView = Schemas['FeatureView'];
export type EventView = Schemas['EventView'];
export type EventPage = Schemas['PageView_EventView'];
export type LevelView = Schemas['LevelView'];
export type LevelPage = Schemas['PageView_LevelView'];
export type MarketList = Schemas['MarketList'];
export type MarketView = Schemas['MarketView'];
export type FeedsView = Schemas['FeedsView'];
export type VenueFeedView = Schemas['VenueFeedView'];
export type LiveStreamView = Schemas['LiveStreamView'];
export type LiveView = Schemas['LiveView'];
export type UniverseView = Schemas['UniverseView'];
export type PortfolioView = Schemas['PortfolioView'];
export type Positions = Schemas['Positions'];
export type PositionCard = Schemas['PositionCard'];
export type Notice = Schemas['Notice'];
export type Notices = Schemas['Notices'];
export type AdviceRequest = Schemas['AdviceRequest'];
export type AdviceView = Schemas['AdviceView'];
export type LiquidationHours = Schemas['LiquidationHours'];
export type AllFeatures = Schemas['AllFeatures'];
export type FeatureRow = Schemas['FeatureRowView'];
export type CalendarView = Schemas['CalendarView'];
export type Catalogue = Schemas['Catalogue'];
export type Caller = Schemas['CallerView'];
export type Problem = Schemas['Problem'];
export type Severity = Schemas['Severity'];
