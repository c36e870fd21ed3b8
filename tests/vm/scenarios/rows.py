"""Which of the table's rows a device belongs to."""


def ports_10_and_11_stay_with_the_host_though_port_1_has_a_row(lab):
    lab.plug("10")
    lab.plug("11")
    lab.wait_plugged("1-10", "1-11")
    lab.plug("1")
    lab.wait_held("vm1", "1-1")


def a_sub_port_written_short_works_and_its_neighbour_stays_with_the_host(lab):
    lab.plug("3", "usb-hub")
    lab.plug("3.1")
    lab.plug("3.2")
    lab.wait_plugged("1-3.1", "1-3.2")
    lab.wait_held("vm1", "1-3.2")


def the_most_specific_row_wins(lab):
    lab.plug("4", "usb-hub")
    lab.plug("4.2")
    lab.plug("4.3")
    lab.wait_held("vm1", "1-4.2")
    lab.wait_held("vm2", "1-4.3")


def an_id_kept_for_the_host_stays_there_though_its_port_has_a_row(lab):
    lab.plug("1", "usb-wacom-tablet")
    lab.wait_plugged("1-1")
    lab.wait_held("vm1")
    lab.assert_log()


def one_row_for_any_bus_covers_both_sides_of_a_port(lab):
    lab.plug("8")
    lab.wait_held("vm2", "1-8")
    lab.pull("8")
    lab.wait_held("vm2")
    lab.plug("8", "usb-storage")
    lab.wait_held("vm2", "2-8")
