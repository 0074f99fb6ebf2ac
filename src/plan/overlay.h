/* The plan's edits in the form that the packer's walk needs. */
#ifndef REHOST_PLAN_OVERLAY_H
#define REHOST_PLAN_OVERLAY_H

#include "model/guest.h"
#include "pack/overlay.h"

/*
 * The edits of the guest, sorted by path; the entries are in mem, what they
 * point to is the guest's.
 */
struct overlay plan_edits_overlay(const struct guest *g, struct arena *mem);

#endif
