// Changes that come little by little, as the API shows them.

/** One part of what is on its way: a version of a split, a cluster of the weights of a version, a dial, how much of a cluster is open. */
export interface GlideView {
  /** The one that sent it. */
  readonly revision: number;
  /** `shop.split`, `shop.clusterWeights.green`, `eu-west.dialPercent`, `eu-west.admin` */
  readonly field: string;
  /** The version, or the cluster; of an admin state the one that it comes to. */
  readonly name: string;
  /** 0 to 1: where it began, where it is, where it goes. */
  readonly from: number;
  readonly now: number;
  readonly to: number;
  /** ISO 8601, UTC. */
  readonly since: string;
  readonly until: string;
  readonly remainingSeconds: number;
}
