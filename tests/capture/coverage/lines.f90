! Prints with libgfortran.
module lines
  use, intrinsic :: iso_c_binding
  implicit none
contains
  ! A line to unit 6, which is stdout, as Fortran lays it out: " thread 3 line 17".
  subroutine print_line(thread, repetition) bind(c, name="fortran_print_line")
    integer(c_int), value :: thread, repetition
    character(len=12) :: first, second
    write (first, '(I0)') thread
    write (second, '(I0)') repetition
    print *, 'thread ', trim(first), ' line ', trim(second)
  end subroutine print_line

  ! A line to unit 0, which is stderr.
  subroutine write_line(thread, repetition) bind(c, name="fortran_write_line")
    integer(c_int), value :: thread, repetition
    write (0, '(I0,":",I0)') thread, repetition
  end subroutine write_line
end module lines
