"""What a port's name says it is: a serial port, or an SPI cable."""

from spikelet.host.port import Port
from spikelet.host.serial_port import SerialPort
from spikelet.host.spi_port import SPI_PREFIX, SpiPort

__all__ = ["opened_port"]


def opened_port(name: str, rate: int) -> Port:
    """Open a port.

    Parameters
    ----------
    name : str
        Of a serial port, such as ``/dev/ttyUSB1`` or ``COM3``; or of an SPI cable as pyftdi has it,
        such as ``ftdi://ftdi:232h/1``.
    rate : int
        In baud; of SPI that of ``sck``, in Hz.

    Raises
    ------
    SpikeletError
        As :class:`SerialPort` and :class:`SpiPort`.
    """
    if name.startswith(SPI_PREFIX):
        return SpiPort(name, rate)
    return SerialPort(name, rate)
