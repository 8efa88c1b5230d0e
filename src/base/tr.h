/* SPDX-License-Identifier: EUPL-1.2 */
/* Marks a literal that is shown to people and translated where it is shown: an English sentence or word that
 * scripts/check-lang wants to find in schema/lang/nl.po. */
#ifndef SLB_BASE_TR_H
#define SLB_BASE_TR_H

#define TR(literal) (literal)

#endif
