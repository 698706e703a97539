/* The scenarios of a pool.  A pool must do what they say, and so they are its
 * specification; `make test-vN DIR=my` asks it of the pool in my/.
 *
 * They stand in the order in which each builds on those before it.  Those whose
 * path begins with /race/ are simulated, too: `make sim TEST=/race`.
 */
#include "scenarios.h"
#include "simulation.h"

typedef struct {
  const char *path;
  void      (*run) (void);
  int         since; /* the first version that must do so */
  int         until; /* the last one that still has this hole; 0: it is none */
} Scenario;

/* clang-format off */
static const Scenario scenarios[] = {
  { "/start/pool-is-ready", test_start_pool_is_ready, 1, 0 },
  { "/start/tree-has-names", test_start_tree_has_names, 1, 0 },
  { "/start/worker-is-required", test_start_worker_is_required, 1, 0 },
  { "/start/size-has-limits", test_start_size_has_limits, 1, 0 },
  { "/start/twice-exists", test_start_twice_exists, 1, 0 },
  { "/start/many-at-once-one-wins", test_start_many_at_once_one_wins, 1, 0 },
  { "/start/first-worker-fails", test_start_first_worker_fails, 1, 0 },
  { "/start/middle-worker-fails", test_start_middle_worker_fails, 1, 0 },
  { "/start/last-worker-fails", test_start_last_worker_fails, 1, 0 },
  { "/start/outlives-its-thread", test_start_outlives_its_thread, 1, 0 },
  { "/start/outlives-its-killed-process",
    test_start_outlives_its_killed_process, 1, 0 },
  { "/start/many-workers", test_start_many_workers, 1, 0 },

  { "/checkout/idle-worker-is-lent", test_checkout_idle_worker_is_lent, 1, 0 },
  { "/checkout/same-worker-comes-back",
    test_checkout_same_worker_comes_back, 1, 0 },
  { "/checkout/last-in-is-first-out",
    test_checkout_last_in_is_first_out, 1, 0 },
  { "/checkout/each-worker-once", test_checkout_each_worker_once, 1, 0 },
  { "/checkout/full", test_checkout_full, 1, 0 },
  { "/checkout/one-worker-one-consumer",
    test_checkout_one_worker_one_consumer, 1, 0 },
  { "/checkout/without-pool-is-down",
    test_checkout_without_pool_is_down, 1, 0 },

  { "/checkin/twice-is-ignored", test_checkin_twice_is_ignored, 1, 0 },
  { "/checkin/after-it-was-lent-again-is-ignored",
    test_checkin_after_it_was_lent_again_is_ignored, 1, 0 },
  { "/checkin/of-no-worker-is-ignored",
    test_checkin_of_no_worker_is_ignored, 1, 0 },
  { "/checkin/of-an-earlier-pool-is-ignored",
    test_checkin_of_an_earlier_pool_is_ignored, 1, 0 },
  { "/checkin/by-a-thread-is-ignored",
    test_checkin_by_a_thread_is_ignored, 1, 0 },
  { "/checkin/by-a-task-is-ignored", test_checkin_by_a_task_is_ignored, 1, 0 },
  { "/checkin/by-a-server-is-ignored",
    test_checkin_by_a_server_is_ignored, 1, 0 },
  { "/checkin/of-a-server-s-own", test_checkin_of_a_server_s_own, 1, 0 },
  { "/checkin/without-pool-is-ignored",
    test_checkin_without_pool_is_ignored, 1, 0 },
  { "/checkin/leaves-nothing-behind",
    test_checkin_leaves_nothing_behind, 1, 0 },

  { "/status/adds-up-at-every-step", test_status_adds_up_at_every_step, 1, 0 },
  { "/status/adds-up-under-load", test_status_adds_up_under_load, 1, 0 },
  { "/status/without-pool-is-down", test_status_without_pool_is_down, 1, 0 },

  { "/stop/ends-every-worker-once", test_stop_ends_every_worker_once, 1, 0 },
  { "/stop/ends-a-worker-at-work", test_stop_ends_a_worker_at_work, 1, 0 },
  { "/stop/waits-for-a-handler", test_stop_waits_for_a_handler, 1, 0 },
  { "/stop/without-pool", test_stop_without_pool, 1, 0 },
  { "/stop/and-start-again", test_stop_and_start_again, 1, 0 },
  { "/stop/and-start-by-many", test_stop_and_start_by_many, 1, 0 },
  { "/stop/under-load", test_stop_under_load, 1, 0 },

  { "/kill/server-comes-back-fresh", test_kill_server_comes_back_fresh, 1, 0 },
  { "/kill/server-under-load", test_kill_server_under_load, 1, 0 },
  { "/kill/server-while-it-starts-workers",
    test_kill_server_while_it_starts_workers, 1, 0 },
  { "/kill/top-leaves-nothing", test_kill_top_leaves_nothing, 1, 0 },

  { "/sample-worker/digest", test_sample_worker_digest, 1, 0 },
  { "/sample-worker/digest-of-no-file",
    test_sample_worker_digest_of_no_file, 1, 0 },
  { "/sample-worker/digest-of-a-directory",
    test_sample_worker_digest_of_a_directory, 1, 0 },
  { "/sample-worker/digest-that-breaks-off",
    test_sample_worker_digest_that_breaks_off, 1, 0 },
  { "/sample-worker/digests-by-many",
    test_sample_worker_digests_by_many, 1, 0 },
  { "/sample-worker/work-takes-its-time",
    test_sample_worker_work_takes_its_time, 1, 0 },
  { "/sample-worker/killed-at-work", test_sample_worker_killed_at_work, 1, 0 },
  { "/sample-worker/stops-after-its-work",
    test_sample_worker_stops_after_its_work, 1, 0 },
  { "/sample-worker/crashes-after-its-work",
    test_sample_worker_crashes_after_its_work, 1, 0 },

  { "/consumer-death/worker-is-lost",
    test_consumer_death_worker_is_lost, 1, 1 },
  { "/worker-death/dead-one-is-lent",
    test_worker_death_dead_one_is_lent, 1, 1 },
  { "/worker-death/new-one-is-never-lent",
    test_worker_death_new_one_is_never_lent, 1, 1 },
  { "/worker-supervisor-death/dead-ones-are-lent",
    test_worker_supervisor_death_dead_ones_are_lent, 1, 1 },

  { "/consumer-death/thread-ends", test_consumer_death_thread_ends, 2, 0 },
  { "/consumer-death/task-returns", test_consumer_death_task_returns, 2, 0 },
  { "/consumer-death/process-returns",
    test_consumer_death_process_returns, 2, 0 },
  { "/consumer-death/process-exits", test_consumer_death_process_exits, 2, 0 },
  { "/consumer-death/process-is-killed",
    test_consumer_death_process_is_killed, 2, 0 },
  { "/consumer-death/server-crashes",
    test_consumer_death_server_crashes, 2, 0 },
  { "/consumer-death/only-its-own-come-back",
    test_consumer_death_only_its_own_come_back, 2, 0 },
  { "/consumer-death/after-its-check-in",
    test_consumer_death_after_its_check_in, 2, 0 },
  { "/consumer-death/after-it-was-lent-again",
    test_consumer_death_after_it_was_lent_again, 2, 0 },
  { "/consumer-death/of-thousands", test_consumer_death_of_thousands, 2, 0 },

  { "/worker-death/busy-one-is-replaced",
    test_worker_death_busy_one_is_replaced, 2, 0 },
  { "/worker-death/idle-one-is-replaced",
    test_worker_death_idle_one_is_replaced, 2, 0 },
  { "/worker-death/dead-one-is-not-lent",
    test_worker_death_dead_one_is_not_lent, 2, 0 },
  { "/worker-death/consumer-is-told",
    test_worker_death_consumer_is_told, 2, 0 },
  { "/worker-death/late-checkin-is-ignored",
    test_worker_death_late_checkin_is_ignored, 2, 0 },
  { "/worker-death/then-consumer-death",
    test_worker_death_then_consumer_death, 2, 0 },
  { "/worker-death/all-at-once", test_worker_death_all_at_once, 2, 0 },
  { "/worker-death/again-and-again", test_worker_death_again_and_again, 2, 0 },
  { "/worker-death/leaves-nothing-behind",
    test_worker_death_leaves_nothing_behind, 2, 0 },

  { "/stranger/exit-is-ignored", test_stranger_exit_is_ignored, 2, 0 },
  { "/stranger/consumer-s-exit-is-ignored",
    test_stranger_consumer_s_exit_is_ignored, 2, 0 },
  { "/stranger/forged-down-is-ignored",
    test_stranger_forged_down_is_ignored, 2, 0 },
  { "/stranger/forged-exit-is-ignored",
    test_stranger_forged_exit_is_ignored, 2, 0 },
  { "/stranger/unknown-message-is-ignored",
    test_stranger_unknown_message_is_ignored, 2, 0 },

  { "/race/consumer-dies-at-checkout",
    test_race_consumer_dies_at_checkout, 2, 0 },
  { "/race/consumer-dies-at-checkin",
    test_race_consumer_dies_at_checkin, 2, 0 },
  { "/race/checkin-then-die", test_race_checkin_then_die, 2, 0 },
  { "/race/worker-dies-at-checkout", test_race_worker_dies_at_checkout, 2, 0 },
  { "/race/worker-dies-at-checkin", test_race_worker_dies_at_checkin, 2, 0 },
  { "/race/idle-worker-dies-while-lent",
    test_race_idle_worker_dies_while_lent, 2, 0 },
  { "/race/replacement-takes-its-time",
    test_race_replacement_takes_its_time, 2, 0 },
  { "/race/new-worker-dies", test_race_new_worker_dies, 2, 0 },
  { "/race/all-workers-die-at-once",
    test_race_all_workers_die_at_once, 2, 0 },
  { "/race/consumer-and-worker-die-together",
    test_race_consumer_and_worker_die_together, 2, 0 },
  { "/race/stranger-sends-exit", test_race_stranger_sends_exit, 2, 0 },
  { "/race/worker-dies-at-stop", test_race_worker_dies_at_stop, 2, 0 },
  { "/race/server-dies-at-checkout", test_race_server_dies_at_checkout, 2, 0 },
  { "/race/random-operations", test_race_random_operations, 2, 0 },

  { "/worker-death/without-replacement",
    test_worker_death_without_replacement, 2, 3 },
  { "/worker-supervisor-death/pool-stays-empty",
    test_worker_supervisor_death_pool_stays_empty, 2, 2 },

#if POOLY_VERSION >= 3
  { "/pools/each-serves-its-own", test_pools_each_serves_its_own, 3, 0 },
  { "/pools/supervisors-are-known-as-such",
    test_pools_supervisors_are_known_as_such, 3, 0 },
  { "/pools/lend-independently", test_pools_lend_independently, 3, 0 },
  { "/pools/all-hear-of-a-consumer-s-death",
    test_pools_all_hear_of_a_consumer_s_death, 3, 0 },
  { "/pools/none-to-begin-with", test_pools_none_to_begin_with, 3, 0 },
  { "/pools/configs-are-copied", test_pools_configs_are_copied, 3, 0 },
  { "/pools/one-with-a-worker-that-fails",
    test_pools_one_with_a_worker_that_fails, 3, 0 },
  { "/pools/one-with-a-wrong-field", test_pools_one_with_a_wrong_field, 3, 0 },
  { "/pools/two-of-one-name", test_pools_two_of_one_name, 3, 0 },
  { "/pools/built-names-clash", test_pools_built_names_clash, 3, 0 },
  { "/pools/built-names-clash-with-pooly",
    test_pools_built_names_clash_with_pooly, 3, 0 },

  { "/later/one-more-starts", test_later_one_more_starts, 3, 0 },
  { "/later/one-stops", test_later_one_stops, 3, 0 },
  { "/later/first-one-stops", test_later_first_one_stops, 3, 0 },
  { "/later/name-is-unknown", test_later_name_is_unknown, 3, 0 },
  { "/later/name-is-taken", test_later_name_is_taken, 3, 0 },
  { "/later/field-is-wrong", test_later_field_is_wrong, 3, 0 },
  { "/later/worker-fails", test_later_worker_fails, 3, 0 },
  { "/later/without-pooly-is-down", test_later_without_pooly_is_down, 3, 0 },
  { "/later/workers-are-told-to-stop",
    test_later_workers_are_told_to_stop, 3, 0 },
  { "/later/stop-ends-a-call", test_later_stop_ends_a_call, 3, 0 },
  { "/later/stop-ends-a-checkout", test_later_stop_ends_a_checkout, 3, 0 },

  { "/many/starts-and-stops-under-load",
    test_many_starts_and_stops_under_load, 3, 0 },
  { "/many/start-one-name", test_many_start_one_name, 3, 0 },
  { "/many/start-and-stop", test_many_start_and_stop, 3, 0 },
  { "/many/at-once", test_many_at_once, 3, 0 },
  { "/many/late-server-is-not-kept",
    test_many_late_server_is_not_kept, 3, 0 },
  { "/many/names-are-not-kept", test_many_names_are_not_kept, 3, 0 },

  { "/walls/worker", test_walls_worker, 3, 0 },
  { "/walls/worker-supervisor", test_walls_worker_supervisor, 3, 0 },
  { "/walls/pool-server", test_walls_pool_server, 3, 0 },
  { "/walls/pool-supervisor", test_walls_pool_supervisor, 3, 0 },
  { "/walls/pools-supervisor", test_walls_pools_supervisor, 3, 0 },
  { "/walls/pooly-server", test_walls_pooly_server, 3, 0 },
  { "/walls/stopped-pool-comes-back",
    test_walls_stopped_pool_comes_back, 3, 0 },
  { "/walls/others-come-back-meanwhile",
    test_walls_others_come_back_meanwhile, 3, 0 },
  { "/walls/worker-under-load", test_walls_worker_under_load, 3, 0 },
  { "/walls/worker-supervisor-under-load",
    test_walls_worker_supervisor_under_load, 3, 0 },
  { "/walls/pool-server-under-load", test_walls_pool_server_under_load, 3, 0 },
  { "/walls/pool-supervisor-under-load",
    test_walls_pool_supervisor_under_load, 3, 0 },
  { "/walls/pools-supervisor-under-load",
    test_walls_pools_supervisor_under_load, 3, 0 },
  { "/walls/pooly-server-under-load",
    test_walls_pooly_server_under_load, 3, 0 },
  { "/walls/top-and-start-at-once", test_walls_top_and_start_at_once, 3, 0 },

  { "/race/limit-of-pool-servers", test_race_limit_of_pool_servers, 3, 0 },
  { "/race/limit-of-worker-supervisors",
    test_race_limit_of_worker_supervisors, 3, 0 },
  { "/limit/of-pool-supervisors",
    test_limit_of_pool_supervisors, 3, 0 },
  { "/race/limit-is-each-pool-s-own",
    test_race_limit_is_each_pool_s_own, 3, 0 },
  { "/race/limit-is-not-for-workers",
    test_race_limit_is_not_for_workers, 3, 0 },
  { "/race/limit-of-pooly-servers", test_race_limit_of_pooly_servers, 3, 0 },
  { "/limit/of-pools-supervisors",
    test_limit_of_pools_supervisors, 3, 0 },
  { "/limit/of-pool-supervisors-reaches-the-top",
    test_limit_of_pool_supervisors_reaches_the_top, 3, 0 },
  { "/limit/of-pool-servers-reaches-the-top",
    test_limit_of_pool_servers_reaches_the_top, 3, 0 },
  { "/race/top-is-killed", test_race_top_is_killed, 3, 0 },

  { "/race/worker-of-one-pool-dies", test_race_worker_of_one_pool_dies, 3, 0 },
  { "/race/worker-supervisor-dies", test_race_worker_supervisor_dies, 3, 0 },
  { "/race/pool-server-dies", test_race_pool_server_dies, 3, 0 },
  { "/race/pool-supervisor-dies", test_race_pool_supervisor_dies, 3, 0 },
  { "/race/pools-supervisor-dies", test_race_pools_supervisor_dies, 3, 0 },
  { "/race/pooly-server-dies", test_race_pooly_server_dies, 3, 0 },
  { "/race/start-then-checkout", test_race_start_then_checkout, 3, 0 },
  { "/race/one-name-is-started-twice",
    test_race_one_name_is_started_twice, 3, 0 },
  { "/race/built-names-clash", test_race_built_names_clash, 3, 0 },
  { "/race/server-dies-at-start", test_race_server_dies_at_start, 3, 0 },
  { "/race/worker-supervisor-dies-at-start",
    test_race_worker_supervisor_dies_at_start, 3, 0 },
  { "/race/supervisor-dies-at-start",
    test_race_supervisor_dies_at_start, 3, 0 },
  { "/race/death-while-all-rise", test_race_death_while_all_rise, 3, 0 },
  { "/race/checkout-at-stop", test_race_checkout_at_stop, 3, 0 },
  { "/race/death-at-stop", test_race_death_at_stop, 3, 0 },
  { "/race/stop-takes-its-time", test_race_stop_takes_its_time, 3, 0 },
  { "/race/stop-while-all-fall", test_race_stop_while_all_fall, 3, 0 },
  { "/race/random-operations-on-pools",
    test_race_random_operations_on_pools, 3, 0 },
#else
  { "/pools/face-is-version-3", test_pools_face_is_version_3, 3, 0 },
#endif

  { "/steps/of-consumers-deaths", test_steps_of_consumers_deaths, 2, 0 },
};
/* clang-format on */

/* Which scenarios is said by the command, `make test-vN`; in which words they
 * talk to the pool, by the pool's own POOLY_VERSION (face.h). */
int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (scenarios); i++) {
    const Scenario *scenario = &scenarios[i];

    if (scenario->since > SUITE_VERSION
        || (scenario->until != 0 && SUITE_VERSION > scenario->until))
      continue;
    if (g_str_has_prefix (scenario->path, "/race/"))
      test_add_simulated (scenario->path, scenario->run);
    else
      g_test_add_func (scenario->path, scenario->run);
  }
  return test_run ();
}
