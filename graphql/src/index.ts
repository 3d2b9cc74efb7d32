export { createGateway, type Gateway, type GatewayOptions, type GatewayParts } from './gateway.ts';
export { ChangeNews } from './live/change-news.ts';
export type { GatewayClock } from './http/authentication.ts';
export type { GatewayLogger } from './request/services.ts';
export { budgetOf, cacheOf } from './settings.ts';
export { KnownPositions } from './live/known-positions.ts';
